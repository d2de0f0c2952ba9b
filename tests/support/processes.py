"""Processes as a test finds them: whether they run, and waiting until something holds."""

import os
import time
from collections.abc import Callable

_LONG_ENOUGH = 20.0  # seconds


def is_running(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def state(pid: int) -> str:
    """The letter of /proc/PID/stat: S sleeps, T is stopped."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def with_words(*words: str) -> list[int]:
    """The PIDs of the living processes with just this command line."""
    wanted = "".join(f"{word}\0" for word in words).encode()
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if name.isdecimal() and file.read() == wanted:
                    found.append(int(name))
        except OSError:
            continue
    return found


def eventually(holds: Callable[[], object], *, within: float = _LONG_ENOUGH) -> None:
    """Wait until it holds; an assertion where it does not come to."""
    until = time.monotonic() + within
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
