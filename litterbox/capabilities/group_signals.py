"""Signals to process groups. The standard library only: the guard of host commands imports it.

A group keeps its number for as long as a process of it, or a zombie, is left. Whoever signals one by its number must
know that: the daemon leaves a group's leader unreaped until the others have ended.
"""

import contextlib
import os
import signal
from typing import Final

GRACE: Final = 3.0  # seconds between TERM and KILL
LOOK_INTERVAL: Final = 0.05  # seconds between looks whether a group has ended

# Fields of /proc/PID/stat behind the command's name (proc_pid_stat(5)).
_STATE, _GROUP = 0, 2
_ENDED: Final = frozenset({b"Z", b"X"})


def tell(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; one that has ended, or is another user's by now, is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end(group: int, number: signal.Signals) -> None:
    """Send a signal that ends the group, stopped or not."""
    tell(group, number)
    tell(group, signal.SIGCONT)


def has_living(group: int) -> bool:
    """Whether a process of the group has not ended. Reads all of /proc: some milliseconds."""
    return any(_is_living_member(name, group) for name in os.listdir("/proc") if name.isdecimal())


def _is_living_member(pid: str, group: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return False
    return int(fields[_GROUP]) == group and fields[_STATE] not in _ENDED
