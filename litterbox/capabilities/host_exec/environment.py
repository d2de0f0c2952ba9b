"""Makes the environment of a host command from that of the user's login. Only TERM comes from the box."""

from collections.abc import Mapping
from typing import Final

# The first ones describe another folder and another terminal. A variable of Litterbox may name a command that prints
# the password.
_DROPPED: Final = frozenset({"PWD", "OLDPWD", "TERM"})
_OWN_PREFIX: Final = "LITTERBOX_"
_TERM_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._")
_MAX_TERM_LENGTH: Final = 64
_DEFAULT_TERM: Final = "xterm"


def of_a_command(login: Mapping[str, str], term: str | None) -> dict[str, str]:
    """Return the environment for a program on that login. `term` is the caller's TERM, None without a terminal."""
    environment = {
        name: value for name, value in login.items() if name not in _DROPPED and not name.startswith(_OWN_PREFIX)
    }
    if term is not None:
        environment["TERM"] = term if _is_term(term) else _DEFAULT_TERM
    return environment


def _is_term(term: str) -> bool:
    """Whether `term` can be a file name and no path: programs look for a file of that name in the terminal database."""
    return 0 < len(term) <= _MAX_TERM_LENGTH and _TERM_CHARACTERS.issuperset(term) and term[0] != "."
