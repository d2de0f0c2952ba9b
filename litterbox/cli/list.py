"""`litterbox list` with options."""

import click

from litterbox.cli import listing
from litterbox.cli.examples import examples


@click.command(short_help="List the boxes.", epilog=examples("litterbox list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array: name, state, sessions, daemon, definition.")
def command(*, as_json: bool) -> None:
    """List the boxes: their state, their sessions, their definition."""
    listing.show(as_json=as_json)
