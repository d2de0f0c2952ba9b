"""Signals to process groups. The standard library only: the guard of host commands imports it."""

import contextlib
import os
import signal
from typing import Final

GRACE: Final = 3.0  # seconds between TERM and KILL
GLANCE: Final = 0.02  # seconds between looks whether a group has ended


def tell(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; one that has ended is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end(group: int, number: signal.Signals) -> None:
    """Send a signal that ends the group, stopped or not."""
    tell(group, number)
    tell(group, signal.SIGCONT)


def is_there(group: int) -> bool:
    """Whether a process of the group is left, one that nobody has waited for included."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
