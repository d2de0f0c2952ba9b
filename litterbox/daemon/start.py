"""Starting a daemon: detached from the terminal, with its secret on a pipe, and waited for until it serves.

`enter` imports this when the box is cold: no event loop.
"""

import contextlib
import json
import os
import select
import sys
import time

from litterbox import files, paths, standard
from litterbox.errors import DaemonError, DaemonRunsAlready
from litterbox.memory import ENVIRONMENT

READY_DESCRIPTOR = 3
READY = b"ready\n"
BUSY = b"busy\n"
READY_TIMEOUT = 60.0  # seconds; a daemon serves after one, and where Podman hangs, after that call's deadline
NO_KEY = b"none"  # on the secret's pipe; nothing at all means that whoever spawned us is gone


def spawn(name: str, vault_key: bytes | None, *, for_session: bool) -> None:
    """Start the daemon of `name` and return when it serves; raises DaemonError with the reason it gave.

    Raises DaemonRunsAlready where another one does, or is just coming up or ending.
    A daemon that is started `for_session` ends when that session is gone, even before it has seen it.
    """
    standard.occupy()  # or a pipe gets the number of a standard stream, which the child replaces
    files.private_folder(paths.root())
    files.private_folder(paths.logs())
    secret_read, secret_write = os.pipe()
    ready_read, ready_write = os.pipe()
    middle = os.fork()
    if middle == 0:
        _become_daemon(name, secret_read, ready_write, ["--for-session"] if for_session else [])
    os.close(secret_read)
    os.close(ready_write)
    try:
        os.waitpid(middle, 0)
        # Where the daemon is gone already, its reason is on the other pipe.
        with contextlib.suppress(BrokenPipeError), open(secret_write, "wb", buffering=0) as secret:
            secret.write(NO_KEY if vault_key is None else vault_key)
        answer = _read(name, ready_read)
    finally:
        os.close(ready_read)
    if answer == BUSY:
        raise DaemonRunsAlready(f"The daemon of {name} runs already.", f"Stop it: litterbox stop {name}")
    if answer != READY:
        raise _reason(name, answer)


def _read(name: str, ready: int) -> bytes:
    """What the daemon says until it closes its end of the pipe."""
    deadline = time.monotonic() + READY_TIMEOUT
    answer = b""
    while select.select([ready], [], [], max(0.0, deadline - time.monotonic()))[0]:
        words = os.read(ready, 4096)
        if not words:
            return answer
        answer += words
    raise DaemonError(
        f"The daemon of {name} was not ready within {READY_TIMEOUT:.0f} s.", f"End it: litterbox stop {name}"
    )


def _become_daemon(name: str, secret: int, ready: int, options: list[str]) -> None:
    """In the child: a session of its own, a second fork so that nobody waits for it, and the program anew."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.dup2(secret, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(paths.daemon_log(name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, files.PRIVATE_FILE), 2)
        os.dup2(ready, READY_DESCRIPTOR)
        os.set_inheritable(READY_DESCRIPTOR, True)  # noqa: FBT003 - dup2 onto itself keeps close-on-exec
        os.chdir("/")
        # -P: the folder we were called from holds no modules of ours
        words = [sys.executable, "-P", "-m", "litterbox", "daemon", name, "--spawned", *options]
        os.execve(sys.executable, words, {**os.environ, **ENVIRONMENT})
    except OSError as error:
        where = error.filename or sys.executable
        os.write(ready, report(f"The daemon of {name} cannot be started: {error.strerror}: {where}", ""))
    finally:
        os._exit(1)


def report(sentence: str, hint: str) -> bytes:
    """What a daemon that cannot serve writes in place of READY."""
    return json.dumps({"sentence": sentence, "hint": hint}).encode()


def _reason(name: str, answer: bytes) -> DaemonError:
    try:
        given = json.loads(answer)
        return DaemonError(given["sentence"], given["hint"])
    except (ValueError, KeyError, TypeError):
        return DaemonError(
            f"The daemon of {name} ended before it was ready.", f"Its log says why: litterbox logs {name}"
        )
