"""Starting a daemon: detached from the terminal, with its secret on a pipe, and waited for until it serves.

`enter` imports this when the box is cold: no event loop.
"""

import json
import os
import sys

from litterbox import files, paths
from litterbox.errors import DaemonError

READY_DESCRIPTOR = 3
READY = b"ready\n"


def spawn(name: str, vault_key: bytes | None) -> None:
    """Start the daemon of `name` and return when it serves; raises DaemonError with the reason it gave."""
    files.private_folder(paths.root())
    files.private_folder(paths.logs())
    secret_read, secret_write = os.pipe()
    ready_read, ready_write = os.pipe()
    middle = os.fork()
    if middle == 0:
        _become_daemon(name, secret_read, ready_write)
    os.close(secret_read)
    os.close(ready_write)
    try:
        os.waitpid(middle, 0)
        with open(secret_write, "wb") as secret:
            secret.write(vault_key or b"")
        with open(ready_read, "rb") as ready:
            answer = ready.read()
    except BrokenPipeError:
        answer = b""
    if answer != READY:
        raise _reason(name, answer)


def _become_daemon(name: str, secret: int, ready: int) -> None:
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
        os.execv(sys.executable, [sys.executable, "-P", "-m", "litterbox", "daemon", name, "--spawned"])
    except OSError as error:
        os.write(ready, report(f"The daemon of {name} cannot be started: {error.strerror}.", ""))
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
