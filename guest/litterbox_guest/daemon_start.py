"""Starts the guest daemon, and sees to it that a box has only one: it holds a lock as long as it runs.

Every entry of a box imports this module, so it imports os and fcntl only.
"""

import fcntl
import os

from litterbox_guest import proc
from litterbox_guest.errors import GuestError

_FAILED = 1
_RUN = "/run/litterbox"
INTERCEPTORS = f"{_RUN}/bin"
_LOCK = f"{_RUN}/daemon.lock"
_LINKED = f"{_RUN}/linked"  # contains the start time of the PID 1 under which the links were last made
_PROGRAM = "/litterbox"

READY = 3  # the descriptor that a starting daemon closes when the links are made
_READY_TIMEOUT = 2.0  # seconds that an entry waits for the links
_REPLACE_TIMEOUT = 5  # seconds that the former daemon has to end
_KEPT_VARIABLES = (
    "LITTERBOX_NAME",
    "LITTERBOX_UID",
    "LITTERBOX_GID",
    "LITTERBOX_HOST_VERSION",
    "XDG_RUNTIME_DIR",
)

# Importing `signal` takes longer than everything that this module does.
_signal = __import__("_signal")


def start_if_missing(environment: "dict[str, str]") -> None:
    """Start the guest daemon, as root of the box, if none is running. After a start of the box, wait for the links.

    Where one is running, this takes two system calls.
    """
    lock = _open_lock()
    try:
        if not _try_lock(lock):
            return
    finally:
        os.close(lock)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _become_daemon(write, {key: environment[key] for key in _KEPT_VARIABLES if key in environment})
    os.close(write)
    os.waitpid(child, 0)
    if not _are_linked():
        _wait_for(read)
    os.close(read)


def take_place(*, replace: bool) -> bool:
    """Take the lock of the guest daemon. Returns False where another one runs. Raises GuestError unless we are root.

    With `replace`, wait for a daemon that has been asked to end. SIGALRM ends this process where that takes too long.
    """
    try:
        lock = _open_lock()
    except PermissionError as error:
        raise GuestError("only root of the box can be its guest daemon", _FAILED) from error
    if replace:
        _signal.alarm(_REPLACE_TIMEOUT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        _signal.alarm(0)
        return True
    return _try_lock(lock)  # the descriptor stays open, so the lock is held until this process ends


def note_links() -> None:
    """Record that the links are made. They last as long as this PID 1."""
    with open(_LINKED, "w", encoding="ascii") as file:
        file.write(proc.stat(1)[proc.START_TIME])


def _are_linked() -> bool:
    try:
        with open(_LINKED, encoding="ascii") as file:
            return file.read() == proc.stat(1)[proc.START_TIME]
    except OSError:
        return False


def _open_lock() -> int:
    """Open the lock file, which only root of the box can open and hold."""
    os.makedirs(_RUN, 0o755, exist_ok=True)
    return os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _try_lock(lock: int) -> bool:
    """Take the lock if it is free. Returns whether it was."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _become_daemon(ready: int, environment: "dict[str, str]") -> None:
    """In the child: become a daemon with a session of its own, PID 1 as its parent, and no open files of ours."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.dup2(ready, READY)
        os.set_inheritable(READY, True)  # noqa: FBT003 - dup2 of a descriptor onto itself keeps close-on-exec
        os.closerange(READY + 1, max(map(int, os.listdir("/proc/self/fd"))) + 1)
        os.execve(_PROGRAM, [_PROGRAM, "daemon", "--ready"], environment)
    finally:
        os._exit(1)


def _wait_for(ready: int) -> None:
    """Wait until the other end of the pipe is closed, but not longer than the timeout."""
    import select  # only after a start of the box

    select.select([ready], [], [], _READY_TIMEOUT)
