"""The guard: a process beside the daemon that ends the daemon's host commands where the daemon was killed.

It reads lines on its standard input: `+PGID` for a process group that has started, `-PGID` for one that has ended. When
its input ends, it sends TERM and then KILL to every group that is left. It writes one line when it is ready. It is a
program of its own, and imports as little as possible.
"""

import signal
import sys
import time

from litterbox.capabilities.group_signals import LOOK_INTERVAL, TERMINATE_TIMEOUT, end, has_living


def main() -> None:
    """Guard until the daemon's end of standard input is closed. Signals that end the daemon do not end the guard."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.write("ready\n")
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
    until = time.monotonic() + TERMINATE_TIMEOUT
    while any(map(has_living, groups)) and time.monotonic() < until:
        time.sleep(LOOK_INTERVAL)
    for group in groups:
        end(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
