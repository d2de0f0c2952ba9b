"""A long value as several fields of a question, so that all of it can be read."""

from typing import Final

from litterbox.confirm.visible import LONGEST_VALUE, columns, visible

_SURE_TO_FIT: Final = 2 * LONGEST_VALUE


def spread(label: str, value: str, *, most: int) -> tuple[tuple[str, str], ...] | None:
    """`value` in at most `most` fields, the first called `label`; None where it is too long for that."""
    fields: list[tuple[str, str]] = []
    rest = value
    while rest or not fields:
        if len(fields) == most:
            return None
        piece = _longest_piece(rest)
        fields.append((f"{label}, continued" if fields else label, piece))
        rest = rest[len(piece) :]
    return tuple(fields)


def _longest_piece(value: str) -> str:
    """As much of the beginning as a field shows whole."""
    width = 0
    for index, character in enumerate(value[:_SURE_TO_FIT]):
        width += columns(visible(character))
        if width > LONGEST_VALUE:
            return value[:index]
    return value[:_SURE_TO_FIT]
