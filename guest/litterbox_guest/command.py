"""Executes the session's command as a shell would, and finds a shell where the user named no command.

The entrypoint imports this module, so it imports os and errno only.
"""

import errno
import os

from litterbox_guest.errors import GuestError

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126
_SHELL = "/bin/sh"


def become(arguments: list[str], environment: dict[str, str]) -> GuestError:
    """Replace this process by the command, which is looked for on PATH unless its name has a slash.

    Returns only on failure: the error to raise, with status 127 for a command that does not exist and 126 for one that
    cannot be run. As shells do, runs a script without `#!` with /bin/sh.
    """
    name = arguments[0]
    if "/" in name:
        return _try(name, arguments, environment)
    missing = GuestError(f"{name}: command not found", _NOT_FOUND)
    if not name:
        return missing
    best = missing
    for folder in environment.get("PATH", DEFAULT_PATH).split(":"):
        candidate = os.path.join(folder or ".", name)
        if os.path.isfile(candidate):
            failure = _try(candidate, arguments, environment)
            best = failure if best is missing else best
    return best


def become_login_shell(shell: str, environment: dict[str, str]) -> GuestError:
    """Replace this process by a login shell. Returns the error on failure, or where `shell` is empty."""
    if not shell:
        return GuestError("the box has no shell; name a command to run", _NOT_FOUND)
    return _try(shell, [f"-{os.path.basename(shell)}"], environment)


def find_shell(wanted: str, environment: dict[str, str]) -> str:
    """Return the first of the account's shell, $SHELL, bash and sh that can be run. Empty where there is none."""
    for candidate in (wanted, environment.get("SHELL", ""), "/bin/bash", _SHELL):
        if candidate.startswith("/") and os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return ""


def _try(path: str, arguments: list[str], environment: dict[str, str]) -> GuestError:
    try:
        os.execve(path, arguments, environment)
    except OSError as error:
        return _explain(error, path, arguments, environment)


def _explain(error: OSError, path: str, arguments: list[str], environment: dict[str, str]) -> GuestError:
    if error.errno == errno.ENOEXEC and not _is_binary(path):
        try:
            os.execve(_SHELL, [_SHELL, path, *arguments[1:]], environment)
        except OSError:
            return GuestError(f"{path}: a script without #!, and the box has no {_SHELL}", _NOT_EXECUTABLE)
    if os.path.isdir(path):
        return GuestError(f"{path}: Is a directory", _NOT_EXECUTABLE)
    if error.errno in {errno.ENOENT, errno.ENOTDIR} and not os.path.exists(path):
        return GuestError(f"{path}: {error.strerror}", _NOT_FOUND)
    if error.errno == errno.ENOENT:
        return GuestError(f"{path}: its interpreter or loader does not exist in the box", _NOT_EXECUTABLE)
    return GuestError(f"{path}: {error.strerror}", _NOT_EXECUTABLE)


def _is_binary(path: str) -> bool:
    """Whether the file is binary. As for bash, it is where its first line has a NUL byte."""
    try:
        with open(path, "rb") as file:
            return b"\0" in file.readline(80)
    except OSError:
        return False
