"""The session lock: the file that says which `litterbox enter` processes live in a box.

It is bind-mounted into the box, so it is rewritten in place and never replaced. Nobody flocks it: the box could hold
such a lock and freeze the host. Whoever changes it holds the box's enter lock.

The file keeps its size, and what is no line is filled with NUL bytes: the disk block is there when the disk is full. A
file without a line means "no sessions", and a write never passes through that state for another reason.

The box owns the file as far as the kernel is concerned, and could take a lease (fcntl(2), F_SETLEASE) on it: whoever
opens it then waits for 45 seconds. So it is only opened with O_NONBLOCK, and the daemon keeps it open for writing,
which makes the kernel refuse leases.

The warm path of `enter` imports this: os and time only.
"""

from __future__ import annotations

import errno
import os
import time

from litterbox.errors import HostError, LitterboxError

TYPE_CHECKING = False  # typing's own costs milliseconds
if TYPE_CHECKING:
    from typing import Self

Session = tuple[int, int]  # PID, and field 22 of /proc/PID/stat: the start time that tells a reused PID apart

MAX_SESSIONS = 200
SIZE = 8192  # bytes of the file: MAX_SESSIONS lines of at most 7 + 1 + 20 + 1 bytes (proc(5), pid_max)
LEASE_TIMEOUT = 5.0  # seconds that a change waits for a lease of the box's, which can last for 45
_LEASE_INTERVAL = 0.05  # seconds between two tries


def start_time(pid: int) -> int | None:
    """The start time of a live process in clock ticks since boot (proc(5), field 22); None for the dead and zombies."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name in field 2 may hold anything, even ")"
    if fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])


def own() -> Session:
    """The session that this process is; it stays the same when the process becomes `podman exec`."""
    pid = os.getpid()
    started = start_time(pid)
    if started is None:
        raise HostError("/proc does not show this process: is it mounted?")
    return pid, started


def is_alive(session: Session) -> bool:
    return start_time(session[0]) == session[1]


def label(session: Session) -> str:
    """`PID-STARTTIME`, the value of LITTERBOX_SESSION in the session's environment."""
    return f"{session[0]}-{session[1]}"


def read(path: str) -> list[Session]:
    """The live sessions of the lock at `path`, in order of arrival; for showing them, so it waits for nothing.

    A missing file lists nobody, and neither does one on which the box holds a lease.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, BlockingIOError):
        return []
    except OSError as error:
        raise HostError(f"The session lock {path} cannot be read: {error.strerror}.") from error
    try:
        return [session for session in _parse(os.pread(descriptor, SIZE, 0)) if is_alive(session)]
    finally:
        os.close(descriptor)


class SessionLock:
    """The session lock, open for writing: as long as it is, the box can take no lease on it.

    Its methods take no lock and never wait for the box. Whoever calls one that changes it holds the enter lock.
    """

    def __init__(self, path: str, *, create: bool = False, within: float = LEASE_TIMEOUT) -> None:
        """Open the file at `path`; `create` makes a missing one. Raises HostError, after `within` seconds at most."""
        self.path = path
        self._descriptor = _open(path, create=create, within=within)
        try:
            if os.fstat(self._descriptor).st_size < SIZE:
                os.posix_fallocate(self._descriptor, 0, SIZE)
        except OSError as error:  # on a full disk, or one that cannot: a write will say so, if it fails
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL):
                os.close(self._descriptor)
                raise HostError(f"The session lock {path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def listed(self) -> list[Session]:
        """Every line that parses, in order of arrival, the dead too."""
        return _parse(os.pread(self._descriptor, SIZE, 0))

    def add(self, session: Session) -> None:
        """Drop the dead and add `session`. Raises LitterboxError when the box is full."""
        living = [known for known in self.listed() if known != session and is_alive(known)]
        if len(living) >= MAX_SESSIONS:
            raise LitterboxError(
                f"The box has {MAX_SESSIONS} sessions, the most it may have.",
                "Leave one of them and enter again.",
            )
        self._rewrite([*living, session])

    def remove(self, session: Session | None = None) -> list[Session]:
        """Drop the dead, and `session` too; returns who is left."""
        before = self.listed()
        left = [known for known in before if known != session and is_alive(known)]
        if left != before or not left:
            self._rewrite(left)
        return left

    def clear(self) -> None:
        """End every session: PID 1 of the box leaves when it finds no line."""
        self._rewrite([])

    def _rewrite(self, sessions: list[Session]) -> None:
        content = "".join(f"{pid} {started}\n" for pid, started in sessions).encode("ascii").ljust(SIZE, b"\0")
        try:
            written = os.pwrite(self._descriptor, content, 0)
        except OSError as error:
            raise HostError(f"The session lock {self.path} cannot be written: {error.strerror}.") from error
        if written != len(content):
            raise HostError(f"The session lock {self.path} cannot be written: the disk is full.")


def prepare(path: str) -> None:
    """Make the lock file where it is missing; the lines of an existing one are left alone. Raises HostError."""
    with SessionLock(path, create=True):
        pass


def _open(path: str, *, create: bool, within: float) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | (os.O_CREAT if create else 0)
    deadline = time.monotonic() + within
    while True:
        try:
            return os.open(path, flags, 0o600)
        except BlockingIOError as error:  # a lease: this try has asked for its end (fcntl(2))
            if time.monotonic() >= deadline:
                raise HostError(
                    f"A process in the box holds a lease on its session lock {path}.", "Stop the box and enter again."
                ) from error
        except OSError as error:
            raise HostError(f"The session lock {path} cannot be opened: {error.strerror}.") from error
        time.sleep(_LEASE_INTERVAL)


def _parse(content: bytes) -> list[Session]:
    sessions: dict[Session, None] = {}
    for line in content.split(b"\n"):
        words = line.split()
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
            sessions[int(words[0]), int(words[1])] = None
    return list(sessions)
