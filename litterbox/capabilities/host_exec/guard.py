"""A process beside the daemon that ends the process groups of its children when the daemon was killed.

It reads `+PGID` and `-PGID` lines on its standard input; at the end of that, TERM and then KILL for every group that is
still there. It is run as a script, by `watch`, and needs nothing but the standard library.
"""

import contextlib
import os
import signal
import sys
import time
from typing import Final

GRACE: Final = 3.0  # seconds between TERM and KILL
GLANCE: Final = 0.02  # seconds between looks whether a group has ended


def main() -> None:
    """Its end must be that of the daemon, not a signal that ends both."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    groups = set()
    for line in sys.stdin.buffer:
        group = int(line[1:])
        if line.startswith(b"+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        end(group, signal.SIGTERM)
    until = time.monotonic() + GRACE
    while any(map(is_there, groups)) and time.monotonic() < until:
        time.sleep(GLANCE)
    for group in groups:
        tell(group, signal.SIGKILL)


def tell(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; one that has ended is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end(group: int, number: signal.Signals) -> None:
    """Send a signal that ends the group, stopped or not."""
    tell(group, number)
    tell(group, signal.SIGCONT)


def is_there(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
