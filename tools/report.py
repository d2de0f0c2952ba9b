"""Joins what tools/measure.py measured outside of the test host and in it: a table to look at, and a page for docs/."""

import argparse
import time

from rich.console import Console
from rich.table import Table
from rows import HEADINGS, Measurements, Row, read

ABOUT = """\
Written by `tools/bench`. Each row measures Litterbox and its peer in turn, in the same run on the same
machine; the ratio is what is promised, the times depend on the machine.

The agents are measured by one client program, which keeps one request in flight on each connection: logins by public
key, each with a session id of its own, made beforehand. Every connection has had an answer before the clock starts, and
a sample of the signatures is verified after it stops. `litterbox agent` runs with `--approve all` and writes its audit
log; its keys were added with `ssh-add`, as those of `ssh-agent` were, or are of the store, decrypted for each
signature. Client and agent run on whatever cores the kernel gives them;
while one client is alone, `litterbox agent` looks for its next request for 60 µs before it sleeps. The ratio is the
median of the rounds' ratios, in which the agents take turns.

What a box asks of its host is timed by a shell in the box that is held open, and its peer by one on the host, each by
its own clock, so that the way into the box counts for `podman exec` only. `flatpak-spawn --host` talks to flatpak's
session helper on the session bus, and is called on the host itself, without a box around it. More than 32 host commands
of a box at once are refused, so a hundred go through 32 places. Streams are a gigabyte of random bytes in the box's
home, the same file for both, and end in a pipe; memory is looked at 50 times a second."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("measured", nargs="+", metavar="FILE", help="written by measure.py")
    parser.add_argument("--page", metavar="FILE", help="write the page, too")
    chosen = parser.parse_args()
    measured = [read(path) for path in chosen.measured]
    show([row for measurements in measured for row in measurements.rows])
    if chosen.page:
        with open(chosen.page, "w", encoding="utf-8") as file:
            file.write(page(measured))


def show(rows: list[Row]) -> None:
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*(cell.replace("`", "").replace("*", "") for cell in row.cells))
    Console(width=160).print(table)


def page(measured: list[Measurements]) -> str:
    lines = ["# Benchmarks", "", ABOUT]
    for measurements in measured:
        lines += ["", f"{time.strftime('%Y-%m-%d')}, {measurements.machine}:", "", line(HEADINGS), "|---" * 5 + "|"]
        lines += [line(row.cells) for row in measurements.rows]
    return "\n".join([*lines, ""])


def line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
