"""Which schemes of links a box may be allowed to open on the user's desktop."""

from typing import Final

_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")

# What reads the user's files, in browsers, GNOME (gvfs) and KDE (KIO).
_READS_FILES: Final = frozenset(
    {"about", "admin", "archive", "blob", "chrome", "computer", "desktop", "file", "filesystem", "filenamesearch"}
    | {"jar", "recent", "recentlyused", "resource", "search", "tar", "trash", "view-source", "wyciwyg", "zip"}
)
# What runs or installs what it names, or hands arguments to a program in a terminal.
_RUNS: Final = frozenset(
    {"applications", "apt", "appstream", "data", "exec", "flatpak+https", "javascript", "livescript", "mocha"}
    | {"programs", "rlogin", "shell", "snap", "ssh", "telnet", "tn3270", "vbscript", "x-man-page"}
)
_NEVER: Final = _READS_FILES | _RUNS


def may_be_opened(scheme: str) -> bool:
    """Whether the settings may list the scheme, which is in lower case."""
    return is_scheme(scheme) and scheme not in _NEVER


def is_scheme(word: str) -> bool:
    """Whether it is one (RFC 3986, section 3.1), in lower case."""
    return bool(word) and word[0].isalpha() and _CHARACTERS.issuperset(word)
