"""`litterbox agent`: the SSH agent by itself, for the user's own programs."""

import os
from typing import TYPE_CHECKING

import click

from litterbox.cli import complete_names
from litterbox.cli.examples import examples

if TYPE_CHECKING:
    from litterbox.agent.decisions import Approve


@click.command(
    short_help="Run the SSH agent by itself, without a box.",
    epilog=examples(
        "litterbox agent --socket ~/.ssh/agent.sock --key work",
        "litterbox agent --socket ~/.ssh/agent.sock --key work -- git push",
    ),
    context_settings={"allow_interspersed_args": False},  # what follows COMMAND is the command's own
)
@click.option(
    "--socket",
    "path",
    required=True,
    type=click.Path(),
    help="Where to listen. A socket of yours that nobody listens on is replaced, nothing else is.",
)
@click.option(
    "--approve",
    type=click.Choice(["ask", "all", "none"]),
    default="ask",
    show_default=True,
    help="Ask in a window; approve all without asking, but for keys added with `ssh-add -c`; refuse all.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY",
    shell_complete=complete_names.keys,
    help="Offer this key of the store; may be repeated.",
)
@click.option(
    "--timeout",
    type=click.IntRange(5, 3600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="A window that nobody answers for so long means no.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def command(path: str, *, approve: "Approve", keys: tuple[str, ...], timeout: int, command: tuple[str, ...]) -> int:
    """Serve the agent that boxes have on a socket of your own, in the foreground.

    Without COMMAND it prints SSH_AUTH_SOCK=PATH when it serves, and stays until a signal ends it. With COMMAND, which
    best stands behind `--`, it runs that with SSH_AUTH_SOCK set, and stays until that has ended.

    Every process with your user ID that reaches PATH may connect. The processes in a box have that ID too: do not put
    PATH into the home of one. Other users are turned away, root too.

    `ssh-add` adds more keys, in memory; SIGUSR1 drops those. `litterbox audit --agent` shows the requests and what was
    decided.

    The exit status is the command's; 128 and the number of the signal when one killed it, 126 when it cannot be run,
    127 when it is not found. Without COMMAND, 130 after SIGINT, and 0 after SIGTERM and SIGHUP.
    """
    from litterbox.private_memory import keep_memory_private  # start-up budget

    keep_memory_private()  # before it holds the vault key
    vault_key = _vault_key(keys)
    from litterbox.host_agent import serve  # start-up budget

    agent = serve.HostAgent(
        path=os.path.abspath(path), approve=approve, keys=keys, vault_key=vault_key, timeout=timeout
    )
    return serve.run(agent, command)


def _vault_key(keys: tuple[str, ...]) -> bytes | None:
    """Ask for the password, where there is anything to open with it. Raises IdentityError for an unknown key."""
    if not keys:
        return None
    from litterbox.keys import access, store  # start-up budget

    current = access.load()
    for key in keys:
        store.find(current.store, key)
    return access.unlock(current).vault_key
