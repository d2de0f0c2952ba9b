"""What tools/bench runs in the test host: each row measures Litterbox and its peer in turn, in one run."""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager

import attrs
from rich.console import Console
from rich.table import Table

BASE_IMAGE = "localhost/litterbox-test-base:latest"
BOX = "bench"
ENTRIES = 40  # of each kind, alternating, after a warm-up
IDLE_FOR = 60.0  # seconds


@attrs.frozen
class Row:
    """One line of the table; `measured` and `budget` in the unit that `what` names."""

    what: str
    budget: str
    measured: str
    details: str
    holds: bool


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", required=True)
    parser.add_argument("rows", nargs="*", metavar="ROW")
    chosen = parser.parse_args()
    with box():
        rows = [row for name in chosen.rows or ROWS for row in ROWS[name]()]
    show(rows)
    with open(chosen.report, "w", encoding="utf-8") as file:
        file.write(report(rows))


@contextmanager
def box():
    """A built box in a Litterbox of its own."""
    root = tempfile.mkdtemp()
    os.environ["LITTERBOX_ROOT"] = root
    say(f"building a box on {BASE_IMAGE}")
    try:
        run("litterbox", "define", BOX, "--template", "local", "--image", BASE_IMAGE)
        run("litterbox", "build", BOX)
        yield
    finally:
        subprocess.run(["litterbox", "stop", BOX], capture_output=True, check=False)
        subprocess.run(
            ["litterbox", "delete", BOX, "--yes", "--home", "--definition"], capture_output=True, check=False
        )
        shutil.rmtree(root)


@contextmanager
def session():
    """A session held open, so that the box runs."""
    holding = subprocess.Popen(
        ["litterbox", "enter", BOX, "--", "sh", "-c", "echo in; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holding.stdout.readline() == b"in\n"
    try:
        yield
    finally:
        holding.stdin.close()
        holding.wait()


def measure_enter() -> list[Row]:
    say(f"entering a running box {ENTRIES} times, and podman exec as often, in turn")
    commands = {
        "litterbox": ["litterbox", "enter", BOX, "--", "true"],
        "podman": ["podman", "exec", f"lbx-{BOX}", "true"],
    }
    times = {name: [] for name in commands}
    with session():
        for number in range(ENTRIES + 3):
            for name, command in commands.items():
                start = time.perf_counter()
                run(*command)
                if number >= 3:
                    times[name].append(time.perf_counter() - start)
    ours, theirs = (statistics.median(times[name]) for name in ("litterbox", "podman"))
    ratio = ours / theirs
    details = f"{ours * 1000:.0f} ms against {theirs * 1000:.0f} ms (medians of {ENTRIES})"
    return [
        Row("`litterbox enter NAME -- true` ÷ `podman exec … true`", "≤ 1.25", f"{ratio:.2f}", details, ratio <= 1.25)
    ]


def measure_idle() -> list[Row]:
    with session():
        [pid] = [int(word) for word in output("litterbox", "status", BOX).split() if word.isdigit()][:1]
        time.sleep(15)  # worker threads of the start wait ten seconds for more work, then end
        say(f"watching the idle daemon for {IDLE_FOR:.0f} s")
        before = switches(pid)
        time.sleep(IDLE_FOR)
        woken = (switches(pid) - before) * 60 / IDLE_FOR
        memory = anonymous_memory(pid)
        threads = len(os.listdir(f"/proc/{pid}/task"))
    return [
        Row(
            "idle daemon: wake-ups per minute",
            "≤ 2",
            f"{woken:.0f}",
            f"switches of {threads} threads",
            woken <= 2,
        ),
        Row("idle daemon: RssAnon in MiB", "≤ 45", f"{memory:.1f}", "one session, nothing attached", memory <= 45),
    ]


def switches(pid: int) -> int:
    """Context switches of every thread of the process, so far."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total


def anonymous_memory(pid: int) -> float:
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        [kilobytes] = [int(line.split()[1]) for line in file if line.startswith("RssAnon:")]
    return kilobytes / 1024


ROWS: dict[str, Callable[[], list[Row]]] = {"enter": measure_enter, "idle": measure_idle}


def show(rows: list[Row]) -> None:
    table = Table("what", "budget", "measured", "verdict", "details")
    for row in rows:
        table.add_row(
            row.what.replace("`", ""), row.budget, row.measured, "holds" if row.holds else "MISSED", row.details
        )
    Console(width=160).print(table)


def report(rows: list[Row]) -> str:
    machine = f"{os.cpu_count()} cores, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    lines = [
        "# Benchmarks",
        "",
        "Written by `tools/bench`. Each row measures Litterbox and its peer in turn, in the same run on the same",
        "machine; the ratio is what is promised, the times depend on the machine.",
        "",
        f"{time.strftime('%Y-%m-%d')}, {machine}, {output('podman', '--version').strip()}.",
        "",
        "| what | budget | measured | verdict | details |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {row.what} | {row.budget} | {row.measured} | {verdict(row)} | {row.details} |" for row in rows]
    return "\n".join(lines) + "\n"


def verdict(row: Row) -> str:
    return "holds" if row.holds else "**missed**"


def run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed with status {done.returncode}: {done.stderr}")


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr)


if __name__ == "__main__":
    main()
