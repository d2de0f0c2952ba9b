"""Processes as /proc shows them inside the box, where a process that Podman started has no parent.

The entrypoint imports this: os only.
"""

import os

# Fields of /proc/PID/stat after the command's name, counted from 0 (proc_pid_stat(5) numbers them from 3).
STATE = 0
PARENT = 1
GROUP = 2
FOREGROUND_GROUP = 5
START_TIME = 19

_ZOMBIE = "Z"
_WAIT = 1  # the PID of `/litterbox wait`


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; raises ProcessLookupError for no such process."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ProcessLookupError(pid) from None
    try:
        line = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    # The command's name stands in parentheses and may hold anything, parentheses and spaces too.
    return line.rpartition(b") ")[2].decode("ascii").split()


def from_outside() -> list[int]:
    """The PIDs of the living processes that Podman started in the box, beside `/litterbox wait`."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [pid for pid in pids if pid != _WAIT and _has_no_parent(pid)]


def _has_no_parent(pid: int) -> bool:
    try:
        fields = stat(pid)
    except ProcessLookupError:
        return False
    return fields[PARENT] == "0" and fields[STATE] != _ZOMBIE
