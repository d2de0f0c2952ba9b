"""Which process of the box belongs to which session, and which sessions the host still lists.

The entrypoint, still root, writes down the process that becomes the session's command; `/litterbox wait` reads
it when the session's line leaves the lock. The process's environment names the session too, but a process can
overwrite it, and root of the box may not read that of `sudo` or `su`: the record is root's, and stays.

The entrypoint imports this: os and time only.
"""

import os
import time

from litterbox_guest import proc

LOCK = "/session.lock"
RECORDS = "/run/litterbox/sessions"
_MAX_LOCK_SIZE = 64 * 1024  # bytes read; 200 sessions (docs/design.md, "Sessions") need less than 10 KiB


def listed(lock: str = LOCK) -> set[str]:
    """The sessions of the host's lock file, each `PID-STARTTIME`; lines that do not parse are dropped."""
    rows = (line.split() for line in _content(lock).decode("ascii", "replace").splitlines())
    return {"-".join(row) for row in rows if len(row) == 2 and all(map(_is_number, row))}


def is_empty(lock: str = LOCK) -> bool:
    """Nobody is left: the host fills the file with NUL bytes then, and at no other moment."""
    return not _content(lock).strip(b"\0")


def _content(lock: str) -> bytes:
    descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _MAX_LOCK_SIZE)
    finally:
        os.close(descriptor)


def is_listed(session: str, lock: str = LOCK) -> bool:
    """Whether the host lists `session`; looks again before it says no, for the lock is rewritten in place."""
    for pause in (0.02, 0.05, 0):
        if session in listed(lock):
            return True
        time.sleep(pause)
    return False


def is_session(name: str) -> bool:
    pid, _, start_time = name.partition("-")
    return _is_number(pid) and _is_number(start_time)


def record(session: str, pid: int, *, folder: str = RECORDS) -> None:
    """Write down that `pid` is the process of `session`; whoever reads sees the whole record or none."""
    temporary = os.path.join(folder, f".{session}.{pid}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, f"{pid} {proc.stat(pid)[proc.START_TIME]}".encode())
    finally:
        os.close(descriptor)
    os.rename(temporary, os.path.join(folder, session))


def recorded(folder: str = RECORDS) -> dict[str, tuple[int, str]]:
    """Each recorded session's process: its PID in the box, and the start time that makes it that one."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return {}
    found = {}
    for name in filter(is_session, names):
        with open(os.path.join(folder, name), encoding="ascii", errors="replace") as file:
            words = file.read().split()
        if len(words) == 2 and all(map(_is_number, words)):
            found[name] = (int(words[0]), words[1])
    return found


def forget(session: str, *, folder: str = RECORDS) -> None:
    try:
        os.unlink(os.path.join(folder, session))
    except FileNotFoundError:
        return


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
