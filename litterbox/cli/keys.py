"""`litterbox keys`: the key store's commands. Messages go to stderr, keys and tables to stdout."""

import os
import sys
from typing import TYPE_CHECKING

import click

from litterbox import paths
from litterbox.cli import complete_names, keys_attach
from litterbox.cli.examples import examples
from litterbox.cli.suggesting_group import SuggestingGroup
from litterbox.errors import BadKeyName, IdentityError, UsageError

# The imports inside functions below are for the start-up budget: `--help` must not pay for asyncssh and the rest.
if TYPE_CHECKING:
    import asyncssh

    from litterbox.keys.records import KeyType
    from litterbox.keys.store import Unlocked


@click.group(
    cls=SuggestingGroup,
    short_help="Keep SSH keys, and say which box may use which.",
    epilog=examples("litterbox keys generate github", "litterbox keys attach github work", "litterbox keys list"),
)
def keys() -> None:
    """Keep SSH keys, and say which box may use which.

    The private keys are sealed in ~/Litterbox/keys.ron under one password. It is asked for on the terminal, or
    comes from the command that LITTERBOX_PASSWORD_COMMAND names (what it prints, less the last newline). A box
    sees only the keys that are attached to it, and cannot read even those: it asks the agent to sign, and the
    agent asks you.

    A keys.ron of the Rust Litterbox is converted by the first command that meets it: that asks for its password and
    keeps a copy of the old file.
    """


keys.add_command(keys_attach.attach)
keys.add_command(keys_attach.detach)

command = keys


@keys.command(
    short_help="Make a new key.",
    epilog=examples("litterbox keys generate github", "litterbox keys generate old-server --type rsa --bits 4096"),
)
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


@keys.command(
    "import",
    short_help="Take a private key from a file.",
    epilog=examples("litterbox keys import github ~/.ssh/id_ed25519"),
)
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


@keys.command(
    short_help="Write a private key to a file.", epilog=examples("litterbox keys export github github.key --encrypt")
)
@click.argument("name", shell_complete=complete_names.keys)
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


@keys.command("list", short_help="List the keys.", epilog=examples("litterbox keys list"))
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


@keys.command("print", short_help="Print a public key.", epilog=examples("litterbox keys print github"))
@click.argument("name", shell_complete=complete_names.keys)
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


@keys.command(short_help="Delete a key.", epilog=examples("litterbox keys delete github"))
@click.argument("key", shell_complete=complete_names.keys)
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


@keys.command(
    "change-password", short_help="Change the key store's password.", epilog=examples("litterbox keys change-password")
)
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
