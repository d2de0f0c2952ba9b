"""RON text to records, where nothing is taken on trust: what does not fit is named, with its place in the file.

Knows how to read a store, not what is in one: that is for `document`, and for `rust.document`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import cattrs

from litterbox.errors import KeyStoreError
from litterbox.keys import ron

_Record = TypeVar("_Record")

_WAY_OUT = (
    "Restore it from a backup, or move it away to begin with an empty store; "
    "a store that is moved away takes its keys with it."
)


class Misfit(ValueError):
    """What is wrong, and where: steps as `ron.locate` takes them."""

    def __init__(self, reason: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


def read(content: bytes, path: str, structure: Callable[[ron.Value], _Record]) -> _Record:
    """What `structure` makes of the document; it raises Misfit, or what a converter raises, where something is wrong.

    `path` is for the error. Raises KeyStoreError, with line and column.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _damaged(path, line, column, "it is not UTF-8 text") from None
    try:
        document = ron.loads(text)
    except ron.RonError as error:
        raise _damaged(path, error.line, error.column, error.reason) from None
    try:
        return structure(document)
    except (Misfit, cattrs.BaseValidationError) as error:
        misfit = _first_misfit(error)
        reason = f"{_spelled(misfit.path)}: {misfit.reason}" if misfit.path else misfit.reason
        raise _damaged(path, *ron.locate(text, misfit.path), reason) from None


def new_converter() -> cattrs.Converter:
    """A converter that takes exactly the fields there are, each of exactly its type."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, text_of)
    converter.register_structure_hook(int, number_of)
    return converter


def from_struct(structure: Callable[[Mapping[str, Any], Any], object]) -> Callable[[object, Any], Any]:
    """A hook for a converter, of a function that cattrs made and that wants a mapping."""
    return lambda value, record: structure(fields_of(value), record)


def fields_of(value: object) -> dict[str, Any]:
    """The fields of a struct, whether or not it says its name."""
    if isinstance(value, ron.Named):
        value = value.value
    if not isinstance(value, ron.Struct):
        raise Misfit("expected a struct: (field: value, …)")
    return dict(value)


def text_of(value: object, _type: object = None) -> str:
    if not isinstance(value, str):
        raise Misfit("expected a string")
    return value


def number_of(value: object, _type: object = None) -> int:
    if type(value) is not int:
        raise Misfit("expected a whole number")
    return value


def list_of(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise Misfit("expected a list: [value, …]")
    return value


def refuse_twice(names: list[str], field: str, reason: str) -> None:
    """Raise a Misfit at the `field` of the first entry whose name an earlier one has."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise Misfit(reason, (index, field))
        seen.add(name)


def _first_misfit(error: BaseException, path: tuple[str | int, ...] = ()) -> Misfit:
    """The first fault in what cattrs found, with the whole path to it."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, cattrs.AttributeValidationNote):
            path = (*path, note.name)
        elif isinstance(note, cattrs.IterableValidationNote):
            path = (*path, note.index)
    match error:
        case cattrs.BaseValidationError():
            return _first_misfit(error.exceptions[0], path)
        case cattrs.ForbiddenExtraKeysError():
            field = min(error.extra_fields)
            return Misfit("this field is not known here", (*path, field))
        case KeyError():
            return Misfit("missing", path)
        case Misfit():
            return Misfit(error.reason, path + error.path)
    return Misfit("this value is not one of those allowed here", path)


def _spelled(path: tuple[str | int, ...]) -> str:
    """keys[0].name"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _damaged(path: str, line: int, column: int, reason: str) -> KeyStoreError:
    return KeyStoreError(f"The key store {path} is damaged: line {line}, column {column}: {reason}.", _WAY_OUT)
