"""One guest daemon per box: the lock it holds, and its start by the entry that finds nobody holding it.

Every entry imports this: os and fcntl only.
"""

import fcntl
import os

from litterbox_guest import proc
from litterbox_guest.errors import GuestError

_FAILED = 1
_RUN = "/run/litterbox"
INTERCEPTORS = f"{_RUN}/bin"
_LOCK = f"{_RUN}/daemon.lock"
_LINKED = f"{_RUN}/linked"  # holds the start time of the PID 1 under which the links were last made
_PROGRAM = "/litterbox"

READY = 3  # the descriptor that a starting daemon closes when the links are there
_READY_TIMEOUT = 2.0  # seconds that an entry waits for them
_REPLACE_TIMEOUT = 5  # seconds that the one before has to leave
_ITS_ENVIRONMENT = (
    "LITTERBOX_NAME",
    "LITTERBOX_UID",
    "LITTERBOX_GID",
    "LITTERBOX_HOST_VERSION",
    "XDG_RUNTIME_DIR",
)

# Importing `signal` and `select` costs more than all that they do here.
_signal = __import__("_signal")


def start_if_missing(environment: "dict[str, str]") -> None:
    """Start the guest daemon where none runs, as root of the box; after a start of the box, wait for its links.

    Costs an entry two system calls where one runs.
    """
    lock = _open_lock()
    try:
        if not _is_free(lock):
            return
    finally:
        os.close(lock)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _become_daemon(write, {key: environment[key] for key in _ITS_ENVIRONMENT if key in environment})
    os.close(write)
    os.waitpid(child, 0)
    if not _are_linked():
        _wait_for(read)
    os.close(read)


def take_place(*, replace: bool) -> bool:
    """Become the box's only daemon; False where another one runs. Raises GuestError for others than root.

    To `replace` is to wait for one that has been told to leave; who still waits when the time is over is ended by
    SIGALRM.
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
    return _is_free(lock)  # the lock stays open, and so held, until this process ends


def note_links() -> None:
    """The links are there, for as long as this PID 1 lives."""
    with open(_LINKED, "w", encoding="ascii") as file:
        file.write(proc.stat(1)[proc.START_TIME])


def _are_linked() -> bool:
    try:
        with open(_LINKED, encoding="ascii") as file:
            return file.read() == proc.stat(1)[proc.START_TIME]
    except OSError:
        return False


def _open_lock() -> int:
    """Only root of the box can open it, so nobody else can hold it."""
    os.makedirs(_RUN, 0o755, exist_ok=True)
    return os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_free(lock: int) -> bool:
    """Whether nobody held it; now we do."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _become_daemon(ready: int, environment: "dict[str, str]") -> None:
    """In the child: a session of its own, a second fork so that PID 1 takes it in, nothing of ours left open."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.dup2(ready, READY)
        os.set_inheritable(READY, True)  # noqa: FBT003 - dup2 onto itself keeps close-on-exec
        os.closerange(READY + 1, max(map(int, os.listdir("/proc/self/fd"))) + 1)
        os.execve(_PROGRAM, [_PROGRAM, "daemon", "--ready"], environment)
    finally:
        os._exit(1)


def _wait_for(ready: int) -> None:
    """Until the other end is closed, or the time is over."""
    import select  # only after a start of the box

    select.select([ready], [], [], _READY_TIMEOUT)
