"""`litterbox logs`: what a box's daemon wrote."""

import os
import shutil
import subprocess
from typing import IO

import click

from litterbox import paths
from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.errors import HostError, LitterboxError
from litterbox.log_format import escape


@click.command(short_help="Show the log of a box's daemon.", epilog=examples("litterbox logs work --follow"))
@click.argument("name", shell_complete=complete_names.boxes)
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, until Ctrl-C.")
def command(name: str, *, follow: bool) -> None:
    """Show the log of the daemon of the box NAME."""
    path = paths.daemon_log(name)
    if not os.path.exists(path):
        from litterbox.container import define  # start-up budget

        define.check_known(name)
        raise LitterboxError(f"The daemon of {name} has written no log yet.", f"It would be in {path}.")
    if follow:
        _follow(path)
        return
    with open(path, "rb") as log:
        _show(log)


def _follow(path: str) -> None:
    """Show the log, and then what is added to it, until Ctrl-C, or until nobody reads us."""
    tail = shutil.which("tail")
    if tail is None:
        raise HostError("Following a log needs `tail`, of the coreutils.")
    words = [tail, "--lines=+1", "--follow=name", "--retry", f"--pid={os.getpid()}", path]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        try:
            _show(following.stdout)
        finally:
            following.terminate()


def _show(log: IO[bytes]) -> None:
    """Print its lines, escaped once more: a log may hold lines of a version that wrote a box's words as they were."""
    for line in log:
        print(escape(line.decode("utf-8", "backslashreplace").removesuffix("\n")), flush=True)
