"""Which schemes of links a box may be allowed to open on the user's desktop."""

from typing import Final

_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")
# What reads files of the user's, or runs what it is given.
_NEVER: Final = frozenset({"file", "javascript", "data", "vbscript", "jar", "blob", "about", "view-source", "shell"})


def may_be_opened(scheme: str) -> bool:
    """Whether the settings may list the scheme (RFC 3986, section 3.1, in lower case)."""
    return bool(scheme) and scheme[0].isalpha() and _CHARACTERS.issuperset(scheme) and scheme not in _NEVER
