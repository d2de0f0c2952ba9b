"""`litterbox stop`: end a box and every session in it."""

import click

from litterbox import paths
from litterbox.cli import complete_names
from litterbox.cli.examples import examples


@click.command(short_help="Stop a box and end its sessions.", epilog=examples("litterbox stop work"))
@click.argument("name", shell_complete=complete_names.boxes)
def command(name: str) -> None:
    """Stop the box NAME: end every session in it, its container and its daemon. Nothing to do when it does not run."""
    from litterbox.daemon import stopping  # start-up budget

    paths.check_box_name(name)
    stopped = stopping.stop(name)
    click.echo(f"Stopped {name}." if stopped else f"{name} does not run.", err=True)
