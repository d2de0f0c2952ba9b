"""Asking for passwords: at the terminal without echo, or from a command that the user names.

A password is bytes, and goes from here to whoever checks it: never into arguments, environment, log or error.
"""

import os
import re
import shlex
import subprocess
import sys
import termios
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from litterbox.errors import PasswordError, WrongPassphrase, WrongPassword
from litterbox.keys import terminal

_Proof = TypeVar("_Proof")

# Characters in quotes are not warned of: they are text, or meant for a shell that the command itself starts.
_QUOTED: Final = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_SHELL_CHARACTERS: Final = frozenset("|;&><$`*")

TRIES: Final = 3  # at the terminal; a command would only say the same again


@attrs.frozen
class Secret:
    """One thing to ask for: what it is called, and the variable that may name a command for it."""

    name: str
    variable: str


STORE: Final = Secret("key store password", "LITTERBOX_PASSWORD_COMMAND")
NEW_STORE: Final = Secret("new key store password", "LITTERBOX_NEW_PASSWORD_COMMAND")
FILE: Final = Secret("passphrase of the key file", "LITTERBOX_PASSPHRASE_COMMAND")


def has_command(secret: Secret) -> bool:
    """Say whether the user named a command for it, so that nobody is asked."""
    return bool(os.environ.get(secret.variable))


def existing(secret: Secret, check: Callable[[bytes], _Proof]) -> _Proof:
    """Ask until `check` takes the answer, and return what it returned.

    `check` raises WrongPassword or WrongPassphrase to refuse; after the third time at the terminal, the first
    from a command, that error goes to the caller. Raises PasswordError where nobody can be asked.
    """
    if has_command(secret):
        return check(_from_command(secret))
    prompt = f"{_capitalised(secret.name)}: "
    for _ in range(TRIES - 1):
        try:
            return check(_from_terminal(secret, prompt))
        except (WrongPassword, WrongPassphrase):
            prompt = f"That is not it. {_capitalised(secret.name)}: "
    return check(_from_terminal(secret, prompt))


def new(secret: Secret, *, why: str = "") -> bytes:
    """Ask for a password that is to be set, and return it. At the terminal it is asked for twice, after `why`.

    Two answers that differ are asked for again. Raises PasswordError after the third time, where nobody can be asked,
    and for an empty password.
    """
    password = _from_command(secret) if has_command(secret) else _twice_from_terminal(secret, why)
    if not password:
        raise PasswordError(f"The {secret.name} must not be empty.", "Please try again.")
    return password


def _twice_from_terminal(secret: Secret, why: str) -> bytes:
    before = f"{why} " if why else ""
    for _ in range(TRIES):
        password = _from_terminal(secret, f"{before}{_capitalised(secret.name)}: ")
        if not password or password == _from_terminal(secret, "The same again: "):
            return password
        before = "The two are not the same. "
    raise PasswordError("The two are not the same.", "Please try again.")


def _from_terminal(secret: Secret, prompt: str) -> bytes:
    try:
        descriptor = terminal.open_terminal()
    except OSError:
        raise PasswordError(
            f"There is no terminal to ask for the {secret.name} on.",
            f"Set {secret.variable} to a command that prints it.",
        ) from None
    try:
        answer = terminal.ask(descriptor, prompt)
    except (OSError, termios.error):
        raise PasswordError(
            f"The terminal is gone, or is another program's, so nobody can be asked for the {secret.name}.",
            f"Enter from a terminal, or set {secret.variable} to a command that prints it.",
        ) from None
    finally:
        os.close(descriptor)
    if answer is None:
        raise PasswordError(f"No {secret.name} was typed.")
    return answer


def _from_command(secret: Secret) -> bytes:
    """Run the command, split as a shell would but without one, and return what it prints less one newline.

    Its arguments may be secrets too: errors name the variable only.
    """
    try:
        arguments = shlex.split(os.environ[secret.variable])
    except ValueError:
        arguments = []
    if not arguments:
        raise PasswordError(f"{secret.variable} is not a command: check its quotes.")
    if not _SHELL_CHARACTERS.isdisjoint(_QUOTED.sub("", os.environ[secret.variable])):
        print(
            f"litterbox: {secret.variable} has characters that are special in a shell, but it is run without a shell. "
            "If it needs one, use: sh -c 'COMMAND'",
            file=sys.stderr,
        )
    try:
        # Its standard input is not ours: that may be the key file that is being imported.
        answer = subprocess.run(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    except OSError as error:
        raise PasswordError(f"The command in {secret.variable} cannot be run: {error.strerror}.") from None
    if answer.returncode != 0:
        how = f"status {answer.returncode}" if answer.returncode > 0 else f"signal {-answer.returncode}"
        raise PasswordError(f"The command in {secret.variable} failed ({how}), so there is no {secret.name}.")
    if not answer.stdout.strip():
        raise PasswordError(f"The command in {secret.variable} printed nothing, so there is no {secret.name}.")
    return answer.stdout.removesuffix(b"\n")


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]
