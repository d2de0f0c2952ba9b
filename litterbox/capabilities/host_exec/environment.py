"""The environment of a host command: that of a program of the user's, and nothing of the box's."""

from collections.abc import Mapping
from typing import Final

# Of another folder and another terminal; and Litterbox's own, which may name a command that prints the password.
_DROPPED: Final = frozenset({"PWD", "OLDPWD", "TERM"})
_OURS: Final = "LITTERBOX_"
_TERM_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._")
_MAX_TERM_LENGTH: Final = 64
_USUAL_TERM: Final = "xterm"


def of_a_command(login: Mapping[str, str], term: str | None) -> dict[str, str]:
    """What a program has on that login. `term` is the type of the caller's terminal, None where it has none."""
    environment = {name: value for name, value in login.items() if name not in _DROPPED and not name.startswith(_OURS)}
    if term is not None:
        environment["TERM"] = term if _is_term(term) else _USUAL_TERM
    return environment


def _is_term(term: str) -> bool:
    """A terminal's name is looked for as a file, so it must be the name of one and no path."""
    return 0 < len(term) <= _MAX_TERM_LENGTH and _TERM_CHARACTERS.issuperset(term) and term[0] != "."
