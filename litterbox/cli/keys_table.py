"""`litterbox keys list`: the stored keys as a table, plain columns or JSON."""

import json
import sys

import click

from litterbox.keys import access
from litterbox.keys.records import Attachment, StoredKey

_COLUMNS = ("NAME", "TYPE", "FINGERPRINT", "ATTACHED TO")


def show(*, as_json: bool) -> None:
    """Print every stored key: JSON when asked for, a table on a terminal, columns anywhere else.

    Says whether their seals were verified. Raises TamperedError after the last line where one does not fit.
    """
    current = access.load()
    keys = current.store.keys
    if as_json:
        click.echo(json.dumps([_described(key) for key in keys], indent=2))
    elif not keys:
        click.echo("There is no key yet. Make one with: litterbox keys generate NAME", err=True)
    elif sys.stdout.isatty():
        _print_table([_row(key) for key in keys])
    else:
        _print_columns([_COLUMNS, *(_row(key) for key in keys)])
    if keys:
        _tell(access.verify(current, *keys))


def _tell(verification: access.Verification) -> None:
    if verification.unverified:
        click.echo(f"litterbox: {verification.unverified}", err=True)
    for error in verification.tampered[1:]:
        click.echo(f"litterbox: {error.sentence}", err=True)
    for error in verification.tampered[:1]:
        raise error


def _described(key: StoredKey) -> dict[str, object]:
    return {
        "name": key.name,
        "type": key.type,
        "bits": key.bits,
        "fingerprint": key.fingerprint,
        "comment": key.comment,
        "public_key": key.public_key,
        "attachments": [
            {"box": attachment.box, "hosts": list(attachment.hosts), "ask": attachment.ask}
            for attachment in key.attachments
        ],
    }


def _row(key: StoredKey) -> tuple[str, ...]:
    type_and_size = "Ed25519" if key.type == "ed25519" else f"{key.type.upper()} {key.bits}"
    boxes = ", ".join(map(_limited, key.attachments))
    return key.name, type_and_size, key.fingerprint, boxes or "-"


def _limited(attachment: Attachment) -> str:
    """A box, and what its use of the key is limited to: "work (github.com, *.example.org; never)"."""
    limits = [", ".join(attachment.hosts), "" if attachment.ask == "always" else attachment.ask]
    said = "; ".join(filter(None, limits))
    return f"{attachment.box} ({said})" if said else attachment.box


def _print_table(rows: list[tuple[str, ...]]) -> None:
    from rich import box, console, table  # start-up budget: only a terminal pays for it

    drawn = table.Table(*_COLUMNS, box=box.SIMPLE_HEAD, pad_edge=False)
    drawn.columns[2].no_wrap = True
    for row in rows:
        drawn.add_row(*row)
    console.Console(markup=False, highlight=False).print(drawn)


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
