"""Private keys in files of the user's: read for `keys import`, written for `keys export`."""

import os

import asyncssh
import click

from litterbox import files
from litterbox.errors import IdentityError, PassphraseNeeded
from litterbox.keys import formats, password


def read_private(file: str) -> asyncssh.SSHKey:
    """Read a private key from `file`, "-" for standard input, asking for its passphrase where it has one."""
    try:
        with click.open_file(file, "rb") as source:
            content = source.read(formats.MAX_FILE_SIZE + 1)
    except OSError as error:
        raise IdentityError(f"{file} cannot be read: {error.strerror}.") from error
    if len(content) > formats.MAX_FILE_SIZE:
        raise IdentityError(f"{file} is too large to be a private key.")
    try:
        return formats.read_private_key(content)
    except PassphraseNeeded:
        return password.existing(password.FILE, lambda answer: formats.read_private_key(content, answer))


def check_free(file: str) -> None:
    """Raise IdentityError where there is something already."""
    if os.path.lexists(file):
        raise _exists(file)


def write_private(path: str, content: bytes, *, force: bool) -> None:
    """Write a file of mode 0600, whole or not at all; over one that is there only with `force`.

    The content may be a private key that no passphrase protects, so it never stands in a temporary file.
    """
    if force:
        files.write_anew(path, content)
        return
    try:
        files.write_new(path, content)
    except FileExistsError:
        raise _exists(path) from None


def _exists(file: str) -> IdentityError:
    return IdentityError(f"{file} exists already.", "Use --force to replace it.")
