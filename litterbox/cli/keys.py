"""`litterbox keys`: the key store's commands. Messages go to stderr, keys and tables to stdout."""

import os
import sys
from typing import TYPE_CHECKING

import click

from litterbox import paths
from litterbox.cli.suggesting_group import SuggestingGroup
from litterbox.errors import BadKeyName, IdentityError, NoSuchBox, UsageError

# The imports inside functions below are for the start-up budget: `--help` must not pay for asyncssh and the rest.
if TYPE_CHECKING:
    import asyncssh

    from litterbox.keys.records import Ask, KeyType, Store
    from litterbox.keys.store import Unlocked


@click.group(cls=SuggestingGroup, short_help="Keep SSH keys, and say which box may use which.")
def keys() -> None:
    """Keep SSH keys, and say which box may use which.

    The private keys are sealed in ~/Litterbox/keys.ron under one password. It is asked for on the terminal, or
    comes from the command that LITTERBOX_PASSWORD_COMMAND names (what it prints, less the last newline). A box
    sees only the keys that are attached to it, and cannot read even those: it asks the agent to sign, and the
    agent asks you.

    A keys.ron of the Rust Litterbox is converted by the first command that meets it: that asks for its password and
    keeps a copy of the old file.
    """


command = keys


@keys.command(short_help="Make a new key.")
@click.argument("name")
@click.option(
    "--type", "key_type", type=click.Choice(["ed25519", "ecdsa", "rsa"]), default="ed25519", show_default=True
)
@click.option("--bits", type=int, help="ecdsa: 256 (the default), 384 or 521; rsa: 2048 to 16384 (3072).")
@click.option("--comment", help="The comment of its public key; the key's name unless given.")
def generate(name: str, *, key_type: "KeyType", bits: int | None, comment: str | None) -> None:
    """Make a new key called NAME in the key store, and print its public key.

    The first key makes the store: its password is asked for twice.
    """
    from litterbox.keys import access, formats, store

    _check_key_name(name)
    current = access.load()
    store.check_new(current.store, name)
    key = formats.generate(key_type, bits)
    _add(name, key, name if comment is None else comment, access.unlock(current))


@keys.command("import", short_help="Take a private key from a file.")
@click.argument("name")
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--comment", help="The comment of its public key; that of the file, or the key's name, unless given.")
def import_(name: str, file: str, *, comment: str | None) -> None:
    """Take a private key from FILE into the key store, call it NAME, and print its public key.

    FILE may be "-", standard input. Every format of OpenSSH and PEM is read, encrypted ones too: the file's
    passphrase is asked for on the terminal, or comes from the command that LITTERBOX_PASSPHRASE_COMMAND names.
    FILE stays as it is; delete it when you have seen that the key works.
    """
    from litterbox.cli import keys_files
    from litterbox.keys import access, formats, store

    _check_key_name(name)
    current = access.load()
    store.check_new(current.store, name)
    key = keys_files.read_private(file)
    store.check_new(current.store, name, formats.public_line(key, ""))
    told = key.get_comment(errors="replace") or name if comment is None else comment
    _add(name, key, told, access.unlock(current))


@keys.command(short_help="Write a private key to a file.")
@click.argument("name")
@click.argument("file", type=click.Path(allow_dash=True), default="-")
@click.option("--encrypt", is_flag=True, help="Encrypt it with a passphrase, which is asked for twice.")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def export(name: str, file: str, *, encrypt: bool, force: bool) -> None:
    """Write the private key NAME, in OpenSSH's format, to FILE (mode 0600) or to standard output.

    The passphrase of --encrypt may come from the command that LITTERBOX_PASSPHRASE_COMMAND names.
    """
    from litterbox.cli import keys_files
    from litterbox.keys import access, formats, password, store

    current = access.load()
    stored = store.find(current.store, name)
    if file != "-" and not force:
        keys_files.check_free(file)
    key = formats.open_private_key(stored, access.unlock(current).vault_key)
    content = formats.write_openssh(key, password.new(password.FILE) if encrypt else None)
    if file == "-":
        click.echo(content, nl=False)
        return
    keys_files.write_private(os.path.abspath(file), content, force=force)
    click.echo(f"Exported {name} to {file}", err=True)


@keys.command("list", short_help="List the keys.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array instead of a table.")
def list_(*, as_json: bool) -> None:
    """List the stored keys: name, type, fingerprint, and the boxes each is attached to. Asks for no password.

    Where LITTERBOX_PASSWORD_COMMAND gives the password, the seal of each key is verified, and a key that was changed by
    something else is named and makes the exit status 1. Otherwise the command says that nothing was verified.

    Behind a box stand the hosts that it may use the key for, where they are limited, and how often it is asked, where
    that is not always: work (github.com; never).

    --json prints an array with one object for each key: name, type ("ed25519", "ecdsa" or "rsa"), bits,
    fingerprint, comment, public_key, and attachments, an array of objects: box, hosts (an array of patterns, empty
    for any host) and ask ("always", "once" or "never").
    """
    from litterbox.cli import keys_table

    keys_table.show(as_json=as_json)


@keys.command("print", short_help="Print a public key.")
@click.argument("name")
def print_(name: str) -> None:
    """Print the public key of NAME, as authorized_keys and code hosts take it. Asks for no password.

    Where LITTERBOX_PASSWORD_COMMAND gives the password, the key's seal is verified first, and a public key that was
    changed by something else is not printed. Otherwise the command says that nothing was verified.
    """
    from litterbox.keys import access, store

    current = access.load()
    key = store.find(current.store, name)
    verification = access.verify(current, key)
    for error in verification.tampered:
        raise error
    click.echo(key.public_key)
    if verification.unverified:
        click.echo(f"litterbox: {verification.unverified}", err=True)


@keys.command(short_help="Let a box use a key.")
@click.argument("key")
@click.argument("box")
@click.option(
    "--host", "hosts", multiple=True, metavar="PATTERN", help="Only for logins to these hosts; may be repeated."
)
@click.option("--ask", type=click.Choice(["always", "once", "never"]), help="How often to ask; always, unless given.")
def attach(key: str, box: str, *, hosts: tuple[str, ...], ask: "Ask | None") -> None:
    """Let BOX use KEY through its agent, which asks before each use unless --ask says otherwise.

    A running box sees it at once.

    --host limits the key to logins to certain hosts. PATTERN is a host's name as your known_hosts has it, with the
    wildcards * and ?: github.com, *.example.org, [git.example.org]:2222; one that begins with ! leaves hosts out.
    Names that known_hosts keeps hashed fit only patterns without wildcards.

    --ask says how often you are asked. always: each time; the window may offer "for this session". once: once for
    each host, or for each namespace of signatures ("git"), until the box's daemon ends. never: not at all. A key
    that never asks must say --host; it signs logins to those hosts and nothing else, and only for clients that prove
    to the agent which host they talk to, as OpenSSH 8.9 and newer do.

    For a key that is attached already, --host replaces its hosts and --ask how often it asks; what is not given stays
    as it is. To let it be used for any host again, detach it first.
    """
    from litterbox.keys import access, attachments, store
    from litterbox.keys.records import Attachment

    patterns = attachments.host_patterns(hosts)
    attachments.check_says_where(patterns, ask)
    _check_box_defined(box)
    current = access.load()
    attached_before = store.find(current.store, key).attachment(box)
    unlocked = access.unlock(current)

    def edit(now: "Store", vault_key: bytes) -> "Store":
        before = store.find(now, key).attachment(box) or Attachment(box)
        return store.attach(now, vault_key, key, attachments.changed(before, hosts=patterns, ask=ask))

    attached = store.find(store.change_sealed(paths.key_store(), unlocked, edit), key).attachment(box)
    _hand_over(box, unlocked.vault_key)
    already = " already" if attached == attached_before else ""
    click.echo(f"{key} is attached to {box}{already}{attachments.described(attached or Attachment(box))}.", err=True)


@keys.command(short_help="No longer let a box use a key.")
@click.argument("key")
@click.argument("box")
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


@keys.command(short_help="Delete a key.")
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(key: str, *, yes: bool) -> None:
    """Delete KEY from the store for good, attached or not. Needs no password."""
    from litterbox.keys import access, store

    stored = store.find(access.load().store, key)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("Deleting needs a yes, and there is no terminal to ask on.", "Use --yes.")
        boxes = ", ".join(attachment.box for attachment in stored.attachments)
        attached = f", attached to {boxes}," if boxes else ""
        click.confirm(f"Delete the key {key} ({stored.fingerprint}){attached} for good?", abort=True, err=True)
    store.change(paths.key_store(), lambda now: store.delete(now, key))
    click.echo(f"Deleted {key}", err=True)


@keys.command("change-password", short_help="Change the key store's password.")
def change_password() -> None:
    """Change the password of the key store.

    The new one is asked for twice, or comes from the command that LITTERBOX_NEW_PASSWORD_COMMAND names. The
    old password still opens copies of the old file: if somebody may have both, replace the keys themselves.
    """
    from litterbox.keys import access, password, store

    current = access.load()
    if current.store.vault is None:
        raise IdentityError("There is no key store yet.", "The first 'litterbox keys generate NAME' makes one.")
    unlocked = access.unlock(current)
    new = password.new(password.NEW_STORE)
    store.change_sealed(paths.key_store(), unlocked, lambda now, vault_key: store.change_password(now, vault_key, new))
    click.echo("The password is changed.", err=True)


def _add(name: str, key: "asyncssh.SSHKey", comment: str, unlocked: "Unlocked") -> None:
    from litterbox.keys import formats, store

    line, private = formats.public_line(key, comment), formats.private_bytes(key)
    store.change_sealed(
        paths.key_store(),
        unlocked,
        lambda now, vault_key: store.add(now, vault_key, name=name, public_key=line, private_key=private),
    )
    click.echo(f"Stored {name}. Next: litterbox keys attach {name} BOX", err=True)
    click.echo(line)


def _check_key_name(name: str) -> None:
    from litterbox.keys.records import is_key_name

    if not is_key_name(name):
        shown = ascii(name if len(name) <= 80 else name[:77] + "...")
        raise BadKeyName(
            f"{shown} is not a key name.",
            "A name has 1 to 64 characters: letters, digits and . _ @ + -, the first a letter or a digit.",
        )


def _check_box_defined(box: str) -> None:
    from litterbox.container.define import has_dockerfile  # start-up budget

    if not has_dockerfile(box) and not os.path.exists(paths.settings(box)):
        raise NoSuchBox(f"There is no box {box}.", f"Define it first: litterbox define {box}")


def _hand_over(box: str, vault_key: bytes) -> None:
    """Let a running daemon of the box open its keys; detaching and deleting it sees for itself."""
    from litterbox.control.client import hand_over_vault_key

    if os.environ.get("XDG_RUNTIME_DIR"):  # a login without one runs no daemon
        hand_over_vault_key(box, vault_key)
