"""The rows of a box: entering it, and its daemon while nobody does anything."""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager

from programs import anonymous_memory, output, run, say
from rows import Row, at_most

BASE_IMAGE = "localhost/litterbox-test-base:latest"
BOX = "bench"
ENTRIES = 40  # of each kind, alternating, after a warm-up
IDLE_FOR = 60.0  # seconds


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
        del os.environ["LITTERBOX_ROOT"]


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
    with session():
        say(f"entering a running box {ENTRIES} times, and podman exec as often, in turn")
        commands = {
            "litterbox": ["litterbox", "enter", BOX, "--", "true"],
            "podman": ["podman", "exec", f"lbx-{BOX}", "true"],
        }
        times = {name: [] for name in commands}
        for number in range(ENTRIES + 3):
            for name, command in commands.items():
                start = time.perf_counter()
                run(*command)
                if number >= 3:
                    times[name].append(time.perf_counter() - start)
    ours, theirs = (statistics.median(times[name]) for name in ("litterbox", "podman"))
    details = f"{ours * 1000:.0f} ms against {theirs * 1000:.0f} ms (medians of {ENTRIES})"
    return [at_most("`litterbox enter NAME -- true` ÷ `podman exec … true`", 1.25, ours / theirs, details)]


def measure_idle() -> list[Row]:
    with session():
        pid = daemon_pid()
        time.sleep(15)  # worker threads of the start wait ten seconds for more work, then end
        say(f"watching the idle daemon for {IDLE_FOR:.0f} s")
        before = switches(pid)
        time.sleep(IDLE_FOR)
        woken = (switches(pid) - before) * 60 / IDLE_FOR
        memory = anonymous_memory(pid)
        threads = len(os.listdir(f"/proc/{pid}/task"))
    return [
        at_most("idle daemon: wake-ups per minute", 2, woken, f"switches of {threads} threads", digits=0),
        at_most("idle daemon: RssAnon in MiB", 45, memory, "one session, nothing attached", digits=1),
    ]


def daemon_pid() -> int:
    return next(int(word) for word in output("litterbox", "status", BOX).split() if word.isdigit())


def switches(pid: int) -> int:
    """Context switches of every thread of the process, so far."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
    return total
