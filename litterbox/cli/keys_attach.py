"""`litterbox keys attach` and `detach`: which box may use which key."""

import os
from typing import TYPE_CHECKING

import click

from litterbox import paths
from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.errors import BadBoxName, NoSuchBox

# The imports inside functions below are for the start-up budget.
if TYPE_CHECKING:
    from litterbox.keys.records import Ask, Store


@click.command(
    short_help="Let a box use a key.",
    epilog=examples(
        "litterbox keys attach github work --host github.com",
        "litterbox keys attach github work --host github.com --ask once",
    ),
)
@click.argument("key", shell_complete=complete_names.keys)
@click.argument("box", shell_complete=complete_names.boxes)
@click.option(
    "--host", "hosts", multiple=True, metavar="PATTERN", help="Only for logins to these hosts; may be repeated."
)
@click.option("--ask", type=click.Choice(["always", "once", "never"]), help="How often to ask; always, unless given.")
def attach(key: str, box: str, *, hosts: tuple[str, ...], ask: "Ask | None") -> None:
    """Let BOX use KEY through its agent, which asks before each use unless --ask says otherwise.

    A running box sees it at once. BOX KEY is understood too, where only that order names a key and a box.

    --host limits the key to logins to certain hosts. PATTERN is a host's name as your known_hosts has it, with the
    wildcards * and ?: github.com, *.example.org, [git.example.org]:2222; one that begins with ! leaves hosts out.
    Names that known_hosts keeps hashed fit only patterns without wildcards.

    --ask says how often you are asked. always: each time; the window may offer to allow it until the box stops. once:
    once for each host, or for each namespace of signatures ("git"), until the box's daemon ends. never: not at all. A
    key that never asks must say --host; it signs logins to those hosts and nothing else, and only for clients that
    prove to the agent which host they talk to, as OpenSSH 8.9 and newer do.

    For a key that is attached already, --host replaces its hosts and --ask how often it asks; what is not given stays
    as it is. To let it be used for any host again, detach it first.
    """
    from litterbox.keys import access, attachments, store
    from litterbox.keys.records import Attachment

    patterns = attachments.host_patterns(hosts)
    attachments.check_says_where(patterns, ask)
    if not _is_defined(key):  # then the order cannot be the wrong one
        _check_box_defined(box)
    current = access.load()
    if not (_is_defined(box) and _has_key(current.store, key)) and _is_defined(key) and _has_key(current.store, box):
        click.echo(f"litterbox: {box} is the key and {key} is the box: the order is KEY BOX.", err=True)
        key, box = box, key
    _check_box_defined(box)
    attached_before = store.find(current.store, key).attachment(box)
    unlocked = access.unlock(current)

    def edit(now: "Store", vault_key: bytes) -> "Store":
        before = store.find(now, key).attachment(box) or Attachment(box)
        return store.attach(now, vault_key, key, attachments.changed(before, hosts=patterns, ask=ask))

    attached = store.find(store.change_sealed(paths.key_store(), unlocked, edit), key).attachment(box)
    _hand_over(box, unlocked.vault_key)
    already = " already" if attached == attached_before else ""
    click.echo(f"{key} is attached to {box}{already}{attachments.described(attached or Attachment(box))}.", err=True)


@click.command(short_help="No longer let a box use a key.", epilog=examples("litterbox keys detach github work"))
@click.argument("key", shell_complete=complete_names.keys)
@click.argument("box", shell_complete=complete_names.boxes)
def detach(key: str, box: str) -> None:
    """No longer let BOX use KEY; true for a running box, too, when this command is done.

    Asks for the password, because a key is sealed together with the list of boxes that may use it.
    """
    from litterbox.keys import access, store

    paths.check_box_name(box)
    current = access.load()
    if not store.find(current.store, key).attachment(box):
        _check_box_defined(box)
        click.echo(f"{key} is not attached to {box}.", err=True)
        return
    store.change_sealed(
        paths.key_store(),
        access.unlock(current),
        lambda now, vault_key: store.detach(now, vault_key, key, box),
    )
    click.echo(f"{key} is no longer attached to {box}.", err=True)


def _check_box_defined(box: str) -> None:
    paths.check_box_name(box)
    if not _is_defined(box):
        raise NoSuchBox(f"There is no box {box}.", f"Define it first: litterbox define {box}")


def _is_defined(box: str) -> bool:
    """Say whether a box of this name is defined; what cannot be a box's name is not."""
    from litterbox.container.define import has_dockerfile  # start-up budget

    try:
        return has_dockerfile(box) or os.path.exists(paths.settings(box))
    except BadBoxName:
        return False


def _has_key(store: "Store", name: str) -> bool:
    return any(key.name == name for key in store.keys)


def _hand_over(box: str, vault_key: bytes) -> None:
    """Let a running daemon of the box open its keys; detaching and deleting it sees for itself."""
    from litterbox.control.client import hand_over_vault_key

    if os.environ.get("XDG_RUNTIME_DIR"):  # a login without one runs no daemon
        hand_over_vault_key(box, vault_key)
