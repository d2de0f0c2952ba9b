"""A process beside the daemon that ends the process groups of its children when the daemon was killed.

It reads `+PGID` and `-PGID` lines on its standard input; at the end of that, TERM and then KILL for every group that is
still there. On its standard output it says when it is up. It is a program of its own, and imports as little as can be.
"""

import signal
import sys
import time

from litterbox.capabilities.group_signals import GRACE, LOOK_INTERVAL, end, has_living


def main() -> None:
    """Its end must be that of the daemon, not a signal that ends both."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.write("up\n")
    sys.stdout.flush()
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
    while any(map(has_living, groups)) and time.monotonic() < until:
        time.sleep(LOOK_INTERVAL)
    for group in groups:
        end(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
