"""Says which media types a box may name: those that RFC 6838 allows, so that none looks like an option or a path."""

import re
from typing import Final

MAX_LENGTH: Final = 255  # characters

# Names as section 4.2 defines them. Parameters may hold no quotes, spaces and escapes.
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_PARAMETER: Final = r"[A-Za-z0-9][A-Za-z0-9-]*=[A-Za-z0-9][A-Za-z0-9._+-]*"
_TYPE: Final = re.compile(rf"{_NAME}/{_NAME}(;{_PARAMETER}){{0,4}}")


def is_media_type(text: str) -> bool:
    """Whether `text` is `type/subtype`, with or without parameters such as `;charset=utf-8`."""
    return len(text) <= MAX_LENGTH and _TYPE.fullmatch(text) is not None
