"""Advisory locks (flock(2)) on files that only the host can open. Every wait for one has an end, and names the holder.

The warm path of `enter` imports this: no threads, no event loop, the standard library's small modules only.
"""

from __future__ import annotations

import fcntl
import os
import time

from litterbox.errors import HostError, LockTimeout

TYPE_CHECKING = False  # typing's own costs milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable

NAME_HOLDER_DELAY = 30.0  # seconds of waiting before the holder is named (docs/design.md, "Entering")
MIN_INTERVAL = 0.001  # seconds between the first two tries
MAX_INTERVAL = 0.05  # seconds


def open_lock(path: str) -> int:
    """Open the lock file, made 0600 where it is missing; returns a close-on-exec descriptor the caller closes."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise HostError(f"The lock file {path} cannot be opened: {error.strerror}.") from error


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if nobody holds it; say whether it was taken."""
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
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
        return not try_lock(descriptor, shared=True)
    finally:
        os.close(descriptor)


def try_acquire(path: str, *, shared: bool = False) -> int | None:
    """Take the lock at `path` without waiting; returns its descriptor, whose closing releases it, or None.

    A lock file that was removed before we had it guards nothing any more: the new one is taken.
    """
    while True:
        descriptor = open_lock(path)
        try:
            taken = try_lock(descriptor, shared=shared)
            if taken and is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if not taken:
            return None


def acquire(
    path: str,
    *,
    within: float,
    shared: bool = False,
    on_wait: Callable[[str], None] | None = None,
    patience: float = NAME_HOLDER_DELAY,
) -> int:
    """Take the lock at `path`, waiting at most `within` seconds; returns its descriptor, whose closing releases it.

    After `patience` seconds `on_wait` is told once who holds it. Raises LockTimeout, which names the holder too.
    flock(2) knows no timeout, so this tries again and again: it works in every thread and uses no signal.
    """
    start = time.monotonic()
    interval = MIN_INTERVAL
    while (descriptor := try_acquire(path, shared=shared)) is None:
        waited = time.monotonic() - start
        if waited >= within:
            raise LockTimeout(
                f"The lock {path} was still held after {within:.0f} s, by {holder(path)}.",
                "Wait for that process, or end it, and try again.",
            )
        if on_wait is not None and waited >= patience:
            on_wait(holder(path))
            on_wait = None
        time.sleep(interval)
        interval = min(2 * interval, MAX_INTERVAL)
    return descriptor


class hold:  # noqa: N801 - a context manager that reads as a verb; contextlib's costs a millisecond
    """Hold the lock at `path` for the length of the block, taken as `acquire` takes it; yields its descriptor."""

    def __init__(
        self,
        path: str,
        *,
        within: float,
        shared: bool = False,
        on_wait: Callable[[str], None] | None = None,
        patience: float = NAME_HOLDER_DELAY,
    ) -> None:
        self._take: Callable[[], int] = lambda: acquire(
            path, within=within, shared=shared, on_wait=on_wait, patience=patience
        )
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


def holder(path: str) -> str:
    """Name who holds the lock at `path`, as "process 1234 (litterbox enter work)", as far as the kernel tells."""
    pid = holder_pid(path)
    return "another process" if pid is None else f"process {pid}{_command(pid)}"


def holder_pid(path: str) -> int | None:
    """The process that took the lock at `path`; None where nobody holds it, or the kernel does not tell."""
    try:
        inode = os.stat(path).st_ino
        with open("/proc/locks", encoding="ascii") as locks:
            rows = [line.split() for line in locks]
    except OSError:
        return None
    # 1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF   (proc(5); a waiter's row has "->" as its second word)
    for row in rows:
        if len(row) > 5 and row[1] == "FLOCK" and row[5].rpartition(":")[2] == str(inode) and row[4].isdigit():
            return int(row[4]) or None  # 0: a process of another PID namespace
    return None


def _command(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(4096).decode(errors="replace").split("\0")
    except OSError:
        return ""
    return f" ({' '.join(words).strip()})"
