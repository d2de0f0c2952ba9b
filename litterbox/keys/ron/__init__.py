"""Rusty Object Notation: text in, plain Python values out, and back. Knows nothing of keys or files.

The grammar is RON's own (https://github.com/ron-rs/ron, docs/grammar.md) without byte strings. In Python a
struct is a `Struct`, a map a `dict`, a list a `list`, a tuple a `tuple` (unit is the empty one), `None` is
None; `Name`, `Name(1)`, `Name(a: 1)` and `Some(x)` are a `Named`; a character is a string of length one.
"""

from litterbox.keys.ron.reader import MAX_DEPTH, loads, locate
from litterbox.keys.ron.values import Named, Path, RonError, Scalar, Struct, Value
from litterbox.keys.ron.writer import dumps

__all__ = ["MAX_DEPTH", "Named", "Path", "RonError", "Scalar", "Struct", "Value", "dumps", "loads", "locate"]
