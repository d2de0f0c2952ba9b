"""The session lock: the file that says which `litterbox enter` processes live in a box.

It is bind-mounted into the box, so it is rewritten in place and never replaced; the content comes first and the
truncation after it, so a reader never meets an empty file that does not mean "no sessions". Nobody flocks it: the
box could hold such a lock and freeze the host. Whoever changes it holds the box's enter lock.

The warm path of `enter` imports this: os only.
"""

import os

from litterbox.errors import HostError, LitterboxError

Session = tuple[int, int]  # PID, and field 22 of /proc/PID/stat: the start time that tells a reused PID apart

MOST_SESSIONS = 200
_MOST_BYTES = 64 * 1024  # far more than MOST_SESSIONS lines


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


def prepare(path: str) -> None:
    """Make the empty lock file where it is missing; an existing one is left alone."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise HostError(f"The session lock {path} cannot be made: {error.strerror}.") from error


def read(path: str) -> list[Session]:
    """The live sessions, in order of arrival. Takes no lock; drops what does not parse or does not live."""
    return [session for session in listed(path) if is_alive(session)]


def listed(path: str) -> list[Session]:
    """Every line that parses, in order of arrival, the dead too."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HostError(f"The session lock {path} cannot be read: {error.strerror}.") from error
    sessions: dict[Session, None] = {}
    for line in content.split(b"\n"):
        words = line.split()
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
            sessions[int(words[0]), int(words[1])] = None
    return list(sessions)


def add(path: str, session: Session) -> None:
    """Drop the dead and add `session`. The caller holds the enter lock. Raises when the box is full."""
    living = [known for known in read(path) if known != session]
    if len(living) >= MOST_SESSIONS:
        raise LitterboxError(
            f"The box has {MOST_SESSIONS} sessions, the most it may have.",
            "Leave one of them and enter again.",
        )
    _rewrite(path, [*living, session])


def remove(path: str, session: Session | None = None) -> list[Session]:
    """Drop the dead, and `session` too; returns who is left. The caller holds the enter lock."""
    before = listed(path)
    left = [known for known in before if known != session and is_alive(known)]
    if left != before or not left:
        _rewrite(path, left)
    return left


def clear(path: str) -> None:
    """End every session: empty the file, where it is. The caller holds the enter lock."""
    if os.path.exists(path):
        _rewrite(path, [])


def _rewrite(path: str, sessions: list[Session]) -> None:
    content = "".join(f"{pid} {started}\n" for pid, started in sessions).encode("ascii")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            if content:
                os.pwrite(descriptor, content, 0)
            os.ftruncate(descriptor, len(content))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise HostError(f"The session lock {path} cannot be written: {error.strerror}.") from error
