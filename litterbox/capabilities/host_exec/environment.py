"""The environment of a host command: the host's, with the display of the newest login, and nothing of the box's."""

import os
from collections.abc import Mapping
from typing import Final

# Those of the folder are of another one; those of Litterbox are its own, and may name a command for a password.
_DROPPED: Final = frozenset({"PWD", "OLDPWD"})
_OURS: Final = "LITTERBOX_"
_TERM_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+._")
_LONGEST_TERM: Final = 64
_USUAL_TERM: Final = "xterm"


def of_the_host(display: Mapping[str, str], term: str | None) -> dict[str, str]:
    """What the daemon has, and `display`, variables of a login. `term` is the type of the caller's terminal."""
    environment = {
        name: value for name, value in os.environ.items() if name not in _DROPPED and not name.startswith(_OURS)
    }
    environment.update(display)
    environment.pop("TERM", None)
    if term is not None:
        environment["TERM"] = term if _is_term(term) else _USUAL_TERM
    return environment


def _is_term(term: str) -> bool:
    """A terminal's name is looked for as a file, so it must be the name of one and no path."""
    return 0 < len(term) <= _LONGEST_TERM and _TERM_CHARACTERS.issuperset(term) and term[0] != "."
