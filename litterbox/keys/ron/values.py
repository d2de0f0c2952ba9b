"""What a RON value is in Python, and the one error that reading RON raises."""

from collections.abc import Sequence
from typing import TypeAlias, Union

import attrs

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Union[Scalar, list["Value"], tuple["Value", ...], dict[Scalar, "Value"], "Struct", "Named", None]
Path: TypeAlias = Sequence[str | int]


class Struct(dict[str, Value]):
    """The fields of a struct, in order. It has at least one: RON cannot tell an empty one from unit."""


@attrs.frozen
class Named:
    """A struct, tuple or enum variant that says its name. `value` is None where nothing follows the name."""

    name: str
    value: Struct | tuple[Value, ...] | None = None


class RonError(ValueError):
    """The text is not RON; `line` and `column` count from 1, columns in characters."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column
