"""Shells that are held open, one in the box and one on the host, and say by their own clock how long a line took.

So neither the measuring program nor the way into the box is part of what is measured.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from measure_box import BOX

_MARK = "@"

Seconds = list[float]
Time = Callable[[str], float]


@contextmanager
def box_shell() -> Iterator[Time]:
    """A function that has bash in the box run a line, and returns how many seconds that took.

    Standard input of the line is /dev/null. Where it fails, so does the measuring.
    """
    with _shell("litterbox", "enter", BOX, "--", "bash") as time:
        yield time


@contextmanager
def host_shell() -> Iterator[Time]:
    """The same on the host."""
    with _shell("bash") as time:
        yield time


@contextmanager
def _shell(*command: str) -> Iterator[Time]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:

        def time(line: str) -> float:
            print(
                f"start=$EPOCHREALTIME; {{ {line}; }} </dev/null >/dev/null; status=$? end=$EPOCHREALTIME;"
                f' echo "{_MARK} $status $start $end"',
                file=shell.stdin,
                flush=True,
            )
            status, start, end = shell.stdout.readline().removeprefix(_MARK).split()
            if status != "0":
                sys.exit(f"bench: {line} failed with status {status}")
            return float(end) - float(start)

        try:
            time("set -o pipefail")  # it has been entered, when that is answered
            yield time
        finally:
            shell.stdin.close()


def in_turn(lines: dict[str, tuple[Time, str]], rounds: int) -> dict[str, list[float]]:
    """Run each line `rounds` times, alternating, after one to warm up; returns the seconds of each."""
    times: dict[str, list[float]] = {name: [] for name in lines}
    for number in range(rounds + 1):
        for name, (time, line) in lines.items():
            taken = time(line)
            if number:
                times[name].append(taken)
    return times
