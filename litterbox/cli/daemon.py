"""`litterbox daemon`: the host process of one box, started by `enter` or by hand."""

import sys

import click

from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.errors import UsageError


@click.command(short_help="Run the daemon of a box.", epilog=examples("litterbox daemon work --foreground"))
@click.argument("name", required=False, shell_complete=complete_names.boxes)
@click.option("--foreground", is_flag=True, help="Stay in the foreground and log to the terminal.")
@click.option(
    "--spawned", is_flag=True, hidden=True, help="The secret is on standard input, readiness on descriptor 3."
)
@click.option("--for-session", is_flag=True, hidden=True, help="End when no session is there, not only when all left.")
def command(name: str | None, *, foreground: bool, spawned: bool, for_session: bool) -> int:
    """Run the daemon of the box NAME. `enter` does this by itself.

    There is one daemon a box. It serves the SSH agent, watches the sessions, and stops the box after the last. Without
    NAME, it takes the only box there is. SIGTERM, SIGINT and SIGHUP stop it, and the box.
    """
    from litterbox.container import define  # start-up budget
    from litterbox.private_memory import keep_memory_private  # start-up budget

    keep_memory_private()  # before it holds the vault key
    chosen = define.check_known(name) if name is not None else _only_box(define.known())
    if spawned:
        from litterbox.daemon import process  # start-up budget

        return process.run_spawned(chosen, secret=sys.stdin.buffer.read(), for_session=for_session)
    from litterbox.keys import access  # start-up budget

    vault_key = access.vault_key_for_box(chosen)
    if foreground:
        from litterbox.daemon import process  # start-up budget

        return process.run(chosen, vault_key=vault_key)
    from litterbox.daemon import start  # start-up budget

    start.spawn(chosen, vault_key, for_session=False)
    click.echo(f"The daemon of {chosen} serves.", err=True)
    return 0


def _only_box(names: list[str]) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError("There is no box yet.", "Make one with: litterbox define NAME")
    raise UsageError("Which box? There is more than one.", f"The boxes are: {', '.join(names)}.")
