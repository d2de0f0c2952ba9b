"""Keeping what is in a process's memory from the user's other processes."""

import ctypes
import os
from typing import Final

from litterbox.errors import HostError

_PR_SET_DUMPABLE: Final = 4  # prctl(2)


def keep_memory_private() -> None:
    """From now on no process of the user's may trace this one, or read its memory, environment or open files.

    It dumps no core either (PR_SET_DUMPABLE in prctl(2), "Ptrace access mode checking" in ptrace(2)). A child has this
    until it becomes another program. Raises HostError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise HostError(f"The memory of this process cannot be kept private: {os.strerror(ctypes.get_errno())}.")
