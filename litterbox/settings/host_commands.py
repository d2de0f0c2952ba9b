"""The commands of the host that a box may run: what a table `[commands.NAME]` of its settings says."""

import os
from collections.abc import Iterator
from typing import Literal, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from litterbox import paths
from litterbox.settings import argument_patterns
from litterbox_guest.interceptors import is_command_name

Folder = Literal["empty", "box"]

# Said wherever a command is given the box's folder; short enough for a dialog.
FOLDER_WARNING = (
    "A program that takes orders from its folder (git, make, npm, cargo, editors, interpreters) gives the box your "
    "account, whatever the patterns."
)
REST = "..."  # in an argument pattern, the last: any further arguments

_MAX_LINKS = 40  # the kernel follows no more


class NotAllowed(ValueError):
    """A value that its key does not take; `key` where it is a key within the one that is being read."""

    def __init__(self, value: object, key: str = "", allowed: str = "") -> None:
        super().__init__(value)
        self.value = value
        self.key = key
        self.allowed = allowed


@attrs.frozen(kw_only=True)
class Command:
    """A command of the host that the box may run.

    `arguments` are patterns, one list for each form that is allowed, None for any arguments. `folder` is where it runs:
    an empty folder of ours, or the caller's. With `link`, it goes by its own name in the box.
    """

    program: str
    arguments: tuple[tuple[str, ...], ...] | None = None
    folder: Folder = "empty"
    link: bool = False


ALLOWED = "tables, [commands.NAME] each, NAME of letters, digits and ._+-, and none of Litterbox's own"
_ALLOWED_IN_TABLE = {
    "program": "the absolute path of a program",
    "arguments": f'lists of patterns, one an argument, like [["status"], ["log", "{REST}"]], each with at most one **',
    "folder": " or ".join(f'"{word}"' for word in get_args(Folder)),
    "link": "true or false",
}


def structure(value: object) -> dict[str, Command]:
    """Read the tables, by name. Raises NotAllowed."""
    if not isinstance(value, dict):
        raise NotAllowed(value)
    found = {}
    for name, table in value.items():
        if not is_command_name(name) or not isinstance(table, dict):
            raise NotAllowed(name if isinstance(table, dict) else table, "" if isinstance(table, dict) else name)
        try:
            found[name] = _converter.structure(table, Command)
        except cattrs.ClassValidationError as error:
            raise _problem_of_command(name, table, error) from error
    return found


def is_in_a_box(program: str) -> bool:
    """Whether the way to the program leads through the home of a box, which could change where it ends."""
    homes = {os.path.realpath(paths.homes()), os.path.normpath(paths.homes())}
    return any(os.path.commonpath([home, path]) == home for path in _way(program) for home in homes)


def _way(path: str) -> Iterator[str]:
    """Each place on the way to `path`, what its links lead to included, as the kernel goes."""
    place = "/"
    rest = [step for step in reversed(path.split("/")) if step]
    links = 0
    while rest:
        step = rest.pop()
        place = os.path.normpath(os.path.join(place, step))
        yield place
        try:
            target = os.readlink(place)
        except OSError:  # no link, or not there
            continue
        links += 1
        if links > _MAX_LINKS:
            return
        rest += [step for step in reversed(target.split("/")) if step]
        place = "/" if target.startswith("/") else os.path.dirname(place)


def _problem_of_command(name: str, table: dict[str, object], error: cattrs.ClassValidationError) -> NotAllowed:
    unknown = [key for key in table if key not in _ALLOWED_IN_TABLE]
    if unknown:
        keys = ", ".join(_ALLOWED_IN_TABLE)
        return NotAllowed(table[unknown[0]], f"{name}.{unknown[0]}", f"none: the keys of a command are {keys}")
    for problem, note in error.group_exceptions()[0]:
        if isinstance(problem, NotAllowed):
            return NotAllowed(problem.value, f"{name}.{note.name}", _ALLOWED_IN_TABLE[note.name])
    return NotAllowed(table, name, "a table with a program")


def _program(value: object, _type: object) -> str:
    if not isinstance(value, str) or not os.path.isabs(value) or "\0" in value:
        raise NotAllowed(value)
    return value


def _arguments(value: object, _type: object) -> tuple[tuple[str, ...], ...] | None:
    if not isinstance(value, list) or not value:
        raise NotAllowed(value)
    for form in value:
        if not isinstance(form, list) or not all(isinstance(word, str) for word in form) or REST in form[:-1]:
            raise NotAllowed(form)
        if not all(map(argument_patterns.is_valid, form)):
            raise NotAllowed(form)
    return tuple(tuple(form) for form in value)


def _folder(value: object, _type: object) -> Folder:
    for word in get_args(Folder):
        if value == word:
            known: Folder = word
            return known
    raise NotAllowed(value)


def _link(value: object, _type: object) -> bool:
    if not isinstance(value, bool):
        raise NotAllowed(value)
    return value


_converter = cattrs.Converter()
_converter.register_structure_hook(
    Command,
    make_dict_structure_fn(
        Command,
        _converter,
        _cattrs_forbid_extra_keys=True,
        program=override(struct_hook=_program),
        arguments=override(struct_hook=_arguments),
        folder=override(struct_hook=_folder),
        link=override(struct_hook=_link),
    ),
)
