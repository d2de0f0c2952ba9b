"""Advisory locks (flock(2)) on files that only the host can open.

The warm path of `enter` imports this: no threads, no event loop, the standard library's small modules only.
"""

from __future__ import annotations

import fcntl
import os

from litterbox.errors import HostError

TYPE_CHECKING = False  # typing's own costs milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 30.0  # seconds of waiting before the holder is named (design section 5)


def open_lock(path: str) -> int:
    """Open the lock file, made 0600 where it is missing; returns a close-on-exec descriptor the caller closes."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise HostError(f"The lock file {path} cannot be opened: {error.strerror}.") from error


def try_lock(descriptor: int) -> bool:
    """Take the lock if nobody holds it; say whether it was taken."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: str) -> bool:
    """Say whether somebody holds the lock at `path`; a missing file is a free lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise HostError(f"The lock file {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def acquire(
    path: str,
    *,
    shared: bool = False,
    on_wait: Callable[[str], None] | None = None,
    patience: float = PATIENCE,
) -> int:
    """Take the lock at `path`, waiting as long as it takes; returns its descriptor, whose closing releases it.

    After `patience` seconds `on_wait` is told once who holds it, and the wait goes on; this needs the main thread
    (SIGALRM). Interrupted by Ctrl-C like any other call. A lock file that was removed while we waited guards
    nothing any more: the new one is taken.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        descriptor = open_lock(path)
        try:
            try:
                fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            except BlockingIOError:
                if on_wait is None:
                    fcntl.flock(descriptor, how)
                else:
                    _wait(descriptor, how, lambda: on_wait(holder(path)), patience)
            if is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


class hold:  # noqa: N801 - a context manager that reads as a verb; contextlib's costs a millisecond
    """Hold the lock at `path` for the length of the block, taken as `acquire` takes it; yields its descriptor."""

    def __init__(
        self,
        path: str,
        *,
        shared: bool = False,
        on_wait: Callable[[str], None] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._take: Callable[[], int] = lambda: acquire(path, shared=shared, on_wait=on_wait, patience=patience)
        self._descriptor = -1

    def __enter__(self) -> int:
        self._descriptor = self._take()
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def is_at(descriptor: int, path: str) -> bool:
    """Say whether the open file is still the one at `path`; a lock on another guards nothing."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _wait(descriptor: int, how: int, tell: Callable[[], None], patience: float) -> None:
    """Block in flock(2); the alarm only interrupts it to say why we wait, and Python then resumes the call."""
    import signal  # start-up budget

    before = signal.signal(signal.SIGALRM, lambda _number, _frame: tell())
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        fcntl.flock(descriptor, how)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def holder(path: str) -> str:
    """Name who holds the lock at `path`, as "process 1234 (litterbox enter work)", as far as the kernel tells."""
    try:
        inode = os.stat(path).st_ino
        with open("/proc/locks", encoding="ascii") as locks:
            rows = [line.split() for line in locks]
    except OSError:
        return "another process"
    # 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF   (proc(5); a waiter's row has "->" as its second word)
    for row in rows:
        if len(row) > 5 and row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode):
            return f"process {row[4]}{_command(row[4])}"
    return "another process"


def _command(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(4096).decode(errors="replace").split("\0")
    except OSError:
        return ""
    return f" ({' '.join(words).strip()})"
