"""`litterbox approvals`: what is approved for the session of a box."""

import json

import click

from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.confirm.escaping import escape_untrusted

_TITLES = ("REQUEST", "KEY", "DESTINATION")


@click.command(
    short_help="Show or forget what is allowed until the box stops.",
    epilog=examples("litterbox approvals work", "litterbox approvals work --forget"),
)
@click.argument("name", shell_complete=complete_names.boxes)
@click.option("--forget", is_flag=True, help="Forget all of it: the next request asks again.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array: request, subject and destination of each.")
def command(name: str, *, forget: bool, as_json: bool) -> None:
    """Show what you allowed the box NAME until it stops, oldest first.

    An approval holds for the same request, key and destination, until the daemon of the box ends.
    """
    from litterbox.container import define  # start-up budget
    from litterbox.control import client

    define.check_known(name)
    if forget:
        count = client.forget_approvals(name)
        click.echo(_forgotten(name, count), err=True)
        return
    approvals = client.approvals(name)
    if as_json:
        rows = [dict(zip(("request", "subject", "destination"), row, strict=True)) for row in approvals or ()]
        click.echo(json.dumps(rows, indent=2))
    elif approvals is None:
        click.echo(f"The daemon of {name} does not run: nothing is approved.", err=True)
    elif not approvals:
        click.echo(f"Nothing is approved for this session of {name}.", err=True)
    else:
        _print_columns([_TITLES, *(tuple(escape_untrusted(word) or "-" for word in row) for row in approvals)])


def _forgotten(name: str, count: int | None) -> str:
    if count is None:
        return f"The daemon of {name} does not run: nothing is approved."
    return f"Forgot {count} approval{'' if count == 1 else 's'} of {name}."


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())
