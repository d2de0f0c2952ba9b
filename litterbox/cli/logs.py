"""`litterbox logs`: what a box's daemon wrote."""

import os
import shutil
import sys

import click

from litterbox import paths
from litterbox.errors import HostError, LitterboxError


@click.command(short_help="Show the log of a box's daemon.")
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, until Ctrl-C.")
def command(name: str, *, follow: bool) -> None:
    """Show the log of the daemon of the box NAME."""
    path = paths.daemon_log(name)
    if not os.path.exists(path):
        from litterbox.container import define  # start-up budget

        define.check_known(name)
        raise LitterboxError(f"The daemon of {name} has written no log yet.", f"It would be in {path}.")
    if follow:
        tail = shutil.which("tail")
        if tail is None:
            raise HostError("Following a log needs `tail`, of the coreutils.")
        os.execv(tail, ["tail", "--lines=+1", "--follow=name", "--retry", path])
    with open(path, encoding="utf-8", errors="replace") as log:
        shutil.copyfileobj(log, sys.stdout)
