"""`litterbox enter`: a session in a box."""

import click

from litterbox.cli import complete_names
from litterbox.cli.examples import examples

_TAKES_VALUE = {"--workdir"}


class _Enter(click.Command):
    """Options may follow NAME; whatever stands behind the first word of COMMAND is the command's own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, separate_command(args))


def separate_command(words: list[str]) -> list[str]:
    """Put a `--` before COMMAND where the user left it out: `NAME --root ls -l` → `NAME --root -- ls -l`."""
    names = 0
    skip = False
    for position, word in enumerate(words):
        if skip:
            skip = False
        elif word == "--":
            return words
        elif word.startswith("-") and len(word) > 1:
            skip = word in _TAKES_VALUE
        else:
            names += 1
            if names == 2:
                return [*words[:position], "--", *words[position:]]
    return words


@click.command(
    cls=_Enter,
    short_help="Enter a box: a shell, or one command.",
    epilog=examples(
        "litterbox enter work", "litterbox enter work git status", "litterbox enter work --root apt-get update"
    ),
)
@click.argument("name", shell_complete=complete_names.boxes)
@click.option("--root", "as_root", is_flag=True, help="Be the root of the box (never of the host).")
@click.option("--workdir", metavar="DIR", help="Start in this folder of the box instead of its home.")
@click.option("-i", "--interactive", is_flag=True, help="Attach standard input only: no terminal, unless -t is given.")
@click.option(
    "-t", "--tty", "terminal", is_flag=True, help="Have a terminal in the box, also where there is none here."
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def command(
    name: str,
    command: tuple[str, ...],
    *,
    as_root: bool,
    workdir: str | None,
    interactive: bool,
    terminal: bool,
) -> None:
    """Enter the box NAME: your shell in it, or COMMAND.

    The box is started when it does not run, and stopped when its last session ends. Without -i and -t, the command
    has a terminal when standard input and output are terminals.

    The exit status is the command's; 125 when Litterbox or Podman failed, 126 when the command cannot be run, 127 when
    it is not found.
    """
    from litterbox.enter.flow import enter  # start-up budget

    enter(name, as_root=as_root, workdir=workdir, interactive=interactive, terminal=terminal, command=command)
