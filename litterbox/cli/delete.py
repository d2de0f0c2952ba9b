"""`litterbox delete`: a box, and when asked for its home and its definition."""

import os
import sys

import click

from litterbox import paths
from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.errors import NoSuchBox, UsageError


@click.command(
    short_help="Delete a box.", epilog=examples("litterbox delete work", "litterbox delete work --home --definition")
)
@click.argument("name", shell_complete=complete_names.boxes)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--home", is_flag=True, help="Delete its home too, with everything in it.")
@click.option("--definition", is_flag=True, help="Delete its Dockerfile and its settings too.")
def command(name: str, *, yes: bool, home: bool, definition: bool) -> None:
    """Delete the container and the image of the box NAME, and detach its SSH keys.

    Its home and its definition stay unless --home and --definition say otherwise; the key store keeps its keys.
    """
    from litterbox.container import delete, listing  # start-up budget

    paths.check_box_name(name)
    if not any(row["name"] == name for row in listing.boxes()) and not delete.leaves_traces(name):
        raise NoSuchBox(f"There is no box {name}.")
    what = ["container", "image", *["home"] * home, *["definition"] * definition]
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("Deleting needs a yes, and there is no terminal to ask on.", "Use --yes.")
        click.confirm(f"Delete the {', '.join(what)} of {name}?", abort=True, err=True)
    delete.check_not_in_use(name)
    _detach_keys(name)
    removed = delete.delete(name, home=home, definition=definition)
    click.echo(f"{name}: deleted {', '.join(removed) or 'nothing, for nothing of that was there'}.", err=True)
    if not home and os.path.exists(paths.home(name)):
        click.echo(f"Its home stays: {paths.home(name)} (--home deletes it)", err=True)
    if definition and os.path.exists(paths.build_context(name)):
        click.echo(f"Files of your own stay: {paths.build_context(name)}", err=True)


def _detach_keys(name: str) -> None:
    from litterbox.keys import access  # start-up budget

    access.detach_box(name)
