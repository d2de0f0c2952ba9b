"""A long text of a box as several fields of a question, so that all of it can be read."""

from litterbox.confirm.escaping import MAX_VALUE_WIDTH, quoted_prefix
from litterbox.confirm.said import Said, Words


def split_into_fields(label: str, value: str, *, most: int) -> tuple[tuple[str, Words], ...] | None:
    """`value` in at most `most` fields, the first called `label`; None where it is too long for that."""
    fields: list[tuple[str, Words]] = []
    rest = value
    while rest or not fields:
        if len(fields) == most:
            return None
        piece = quoted_prefix(rest, MAX_VALUE_WIDTH)
        fields.append((f"{label}, continued" if fields else label, (Said(piece),)))
        rest = rest[len(piece) :]
    return tuple(fields)
