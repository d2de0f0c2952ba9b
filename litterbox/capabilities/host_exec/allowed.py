"""Finds the command of the settings that a request names, and checks its arguments. Pure functions."""

import os
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

from litterbox.confirm.escaping import quoted
from litterbox.errors import LitterboxError
from litterbox.settings import argument_patterns
from litterbox.settings.host_commands import REST, Command

MAX_ARGUMENT_LENGTH: Final = 128 * 1024 - 1  # bytes; the kernel allows no more (MAX_ARG_STRLEN)
MAX_ARGUMENTS_LENGTH: Final = 256 * 1024  # bytes of all arguments together

_MAX_NAMED: Final = 20  # commands or argument lists that a sentence names
_MEANING: Final = "no wildcard but ** stands for a /, and none for . or .. in a path"


class CommandRefused(LitterboxError):
    """The box may not run this command, or not with these arguments, or not in this folder. `sentence` says why."""


def find(commands: Mapping[str, Command], name: str, arguments: Sequence[str]) -> Command:
    """Return the command `name` if it may be run with `arguments`.

    Raises CommandRefused, whose sentence says what may be run.
    """
    command = commands.get(name)
    if command is None:
        if not commands:
            raise CommandRefused(f"{quoted(name)} is not allowed: the box may run no command of the host")
        raise CommandRefused(f"{quoted(name)} is not a command that the box may run on the host: {_list(commands)}")
    _check_sizes(arguments)
    if command.arguments is not None and not any(_matches(form, arguments) for form in command.arguments):
        forms = _list([shlex.join([name, *form]) for form in command.arguments])
        meaning = f" ({_MEANING})" if any(map(_has_wildcard, command.arguments)) else ""
        raise CommandRefused(f"{name} may not be run with these arguments on the host, only as: {forms}{meaning}")
    return command


def _check_sizes(arguments: Sequence[str]) -> None:
    total = 0
    for argument in arguments:
        try:
            size = len(os.fsencode(argument)) + 1
        except UnicodeEncodeError:
            raise CommandRefused("an argument is not valid text") from None
        if "\0" in argument:
            raise CommandRefused("an argument holds a NUL byte")
        if size > MAX_ARGUMENT_LENGTH:
            raise CommandRefused(f"an argument is longer than {MAX_ARGUMENT_LENGTH:,} bytes")
        total += size
    if total > MAX_ARGUMENTS_LENGTH:
        raise CommandRefused(f"the arguments are longer than {MAX_ARGUMENTS_LENGTH:,} bytes")


def _matches(form: Sequence[str], arguments: Sequence[str]) -> bool:
    if form[-1:] == (REST,):
        form = form[:-1]
        arguments = arguments[: len(form)]
    return len(form) == len(arguments) and all(map(argument_patterns.matches, form, arguments))


def _has_wildcard(form: Sequence[str]) -> bool:
    return any(map(argument_patterns.has_wildcard, form))


def _list(names: "Mapping[str, Command] | Sequence[str]") -> str:
    known = list(names)
    more = len(known) - _MAX_NAMED
    return ", ".join(known[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
