"""Values to pretty RON: four spaces, trailing commas, lists of scalars on one line."""

import math

from litterbox.keys.ron.values import Named, Scalar, Struct, Value


def dumps(value: Value) -> str:
    """Write `value` as a RON document that ends with a newline. Strings must not hold lone surrogates."""
    return _written(value, "") + "\n"


def _written(value: Value, margin: str) -> str:
    inner = margin + "    "
    match value:
        case Named(name=name, value=body):
            text = name if body is None else name + _written(body, margin)
        case Struct():
            text = _block("(", [f"{key}: {_written(item, inner)}" for key, item in value.items()], ")", margin)
        case dict():
            entries = [f"{_scalar(key)}: {_written(item, inner)}" for key, item in value.items()]
            text = _block("{", entries, "}", margin)
        case list() if all(item is None or isinstance(item, bool | int | float | str) for item in value):
            text = "[" + ", ".join(_written(item, inner) for item in value) + "]"
        case list():
            text = _block("[", [_written(item, inner) for item in value], "]", margin)
        case tuple():
            text = _block("(", [_written(item, inner) for item in value], ")", margin)
        case None:
            text = "None"
        case _:
            text = _scalar(value)
    return text


def _block(opening: str, entries: list[str], closing: str, margin: str) -> str:
    if not entries:
        return opening + closing
    body = "".join(f"{margin}    {entry},\n" for entry in entries)
    return f"{opening}\n{body}{margin}{closing}"


def _scalar(value: Scalar) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + "".join(map(_escaped, value)) + '"'
        case float() if math.isnan(value):
            return "NaN"
    return repr(value)


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
