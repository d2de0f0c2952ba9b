"""Sends signals to process groups. Imports the standard library only, because the guard of host commands uses it.

The kernel does not reuse the number of a group while a process or a zombie of the group is left. The daemon relies on
that: it does not reap the leader of a group before the other processes have ended.
"""

import contextlib
import os
import signal
from typing import Final

TERMINATE_TIMEOUT: Final = 3.0  # seconds from TERM to KILL
LOOK_INTERVAL: Final = 0.05  # seconds between looks whether a group has ended

# Fields of /proc/PID/stat after the command's name (proc_pid_stat(5)).
_STATE, _GROUP = 0, 2
_ENDED: Final = frozenset({b"Z", b"X"})


def tell(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group. Ignores a group that has ended, or that belongs to another user by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end(group: int, number: signal.Signals) -> None:
    """Send a signal that ends the group, also where its processes are stopped (SIGSTOP)."""
    tell(group, number)
    tell(group, signal.SIGCONT)


def has_living(group: int) -> bool:
    """Whether a process of the group is still running. Reads all of /proc, which takes some milliseconds."""
    return any(_is_living_member(name, group) for name in os.listdir("/proc") if name.isdecimal())


def _is_living_member(pid: str, group: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return False
    return int(fields[_GROUP]) == group and fields[_STATE] not in _ENDED
