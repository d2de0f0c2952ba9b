"""The group `litterbox`: finds a command by name and imports only its module."""

import importlib

import click

from litterbox import __version__
from litterbox.cli.examples import examples
from litterbox.cli.suggesting_group import SuggestingGroup
from litterbox.errors import ENTER_FAILED, USAGE_FAILED

_COMMANDS = {
    "define": "define",
    "build": "build",
    "enter": "enter",
    "list": "list",
    "status": "status",
    "stop": "stop",
    "logs": "logs",
    "audit": "audit",
    "approvals": "approvals",
    "settings": "settings",
    "delete": "delete",
    "keys": "keys",
    "agent": "agent",
    "daemon": "daemon",
    "completion": "completion",
}


class _Lazy(SuggestingGroup):
    """A group whose commands are modules of this package, in the order in which a user meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(_COMMANDS)

    def find(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - as the base class has it
        """Import the command's module and return the command; None where there is no such command."""
        if name not in _COMMANDS:
            return None
        module = importlib.import_module(f"litterbox.cli.{_COMMANDS[name]}")
        command: click.Command = module.command
        return command


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples("litterbox define work", "litterbox build work", "litterbox enter work"),
)
@click.version_option(__version__, prog_name="litterbox", message="%(prog)s %(version)s")
def litterbox() -> None:
    """Isolated development environments whose every use of your SSH keys asks first.

    A box is a rootless Podman container with a home of its own. Define one, build it, enter it.

    `ls` and `rm` are short for `list` and `delete`.

    Exit status: 0 success, 1 failure, 2 a command line that cannot be, 130 interrupted. `enter` ends with the
    status of its command, or with 125 where Litterbox or Podman failed.
    """


def run(arguments: list[str]) -> int:
    """Run one command line; returns its exit status. Raises LitterboxError and KeyboardInterrupt."""
    try:
        status = litterbox.main(arguments, prog_name="litterbox", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return ENTER_FAILED if arguments[:1] == ["enter"] else USAGE_FAILED
    except click.Abort as abort:
        raise KeyboardInterrupt from abort
    return status if isinstance(status, int) else 0
