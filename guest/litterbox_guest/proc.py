"""Reads /proc inside the box, where a process that Podman started has no parent.

The entrypoint imports this module, so it imports os only.
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
    """Return the fields of /proc/PID/stat, beginning with the state. Raises ProcessLookupError where there is none."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ProcessLookupError(pid) from None
    try:
        line = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    # The command's name is in parentheses, and can itself contain parentheses and spaces.
    return line.rpartition(b") ")[2].decode("ascii").split()


def from_outside() -> list[int]:
    """Return the PIDs of the running processes that Podman started in the box, except `/litterbox wait`."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [pid for pid in pids if pid != _WAIT and _has_no_parent(pid)]


def _has_no_parent(pid: int) -> bool:
    try:
        fields = stat(pid)
    except ProcessLookupError:
        return False
    return fields[PARENT] == "0" and fields[STATE] != _ZOMBIE
