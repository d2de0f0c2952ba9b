"""Which media types a box may name: strictly those of RFC 6838, so that none can be taken for anything else."""

import re
from typing import Final

MAX_LENGTH: Final = 255  # characters

# Names of section 4.2, the first character a letter or a digit; parameters without quotes, spaces and escapes.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_PARAMETER: Final = r"[A-Za-z0-9][A-Za-z0-9-]*=[A-Za-z0-9][A-Za-z0-9._+-]*"
_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}(;{_PARAMETER}){{0,4}}")


def is_media_type(text: str) -> bool:
    """Whether it is `type/subtype`, with parameters like `;charset=utf-8` or without."""
    return len(text) <= MAX_LENGTH and _TYPE.fullmatch(text) is not None
