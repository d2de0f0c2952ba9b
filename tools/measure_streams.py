"""The rows of a host command's streams: their throughput beside podman exec's, and the memory that they take."""

import os
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
from box_shell import Seconds, box_shell, host_shell, in_turn
from measure_box import BOX, daemon_pid
from measure_capabilities import allow
from programs import anonymous_memory, say
from rows import Row, at_least, at_most, told

SIZE = 1024  # MiB
ROUNDS = 5  # of each kind, alternating, after one to warm up
MAX_MEMORY = 32  # MiB more than while nothing is streamed
LOOK_INTERVAL = 0.02  # seconds between looks at the memory

IN_BOX = "/home/user/big"
HOST_EXEC = b"/host-exec\0"  # in the command line of an interceptor


@attrs.define
class Peak:
    """The most anonymous memory, in MiB, that the daemon and an interceptor had while one was watched."""

    daemon: float = 0.0
    guest: float = 0.0


def measure_stream() -> list[Row]:
    allow("cat", "wc", "sleep")
    with big_file() as path, box_shell() as in_box, host_shell() as on_host:
        say(f"watching the memory while {SIZE} MiB are streamed both ways")
        with watched(daemon_pid()) as idle:
            in_box("host-exec sleep 2")
        with watched(daemon_pid()) as busy:
            in_box(f"host-exec cat <{IN_BOX} | cat")
        say(f"streaming {SIZE} MiB out of a host command and into one {ROUNDS} times, in turn with podman exec")
        times = in_turn(
            {
                "out": (in_box, f"host-exec cat {path} | cat"),
                "podman's out": (on_host, f"podman exec lbx-{BOX} cat {IN_BOX} | cat"),
                "in": (in_box, f"host-exec wc -c <{IN_BOX}"),
                "podman's in": (on_host, f"podman exec --interactive lbx-{BOX} wc -c <{path}"),
            },
            ROUNDS,
        )
    ratio_out, details_out = compared(times["out"], times["podman's out"])
    ratio_in, details_in = compared(times["in"], times["podman's in"])
    return [
        at_least("bytes per second from `host-exec cat` ÷ those from `podman exec … cat`", 1, ratio_out, details_out),
        told("bytes per second to `host-exec wc` ÷ those to `podman exec … wc`", f"{ratio_in:.2f}", details_in),
        of_memory("the daemon", idle.daemon, busy.daemon),
        of_memory("`host-exec`", idle.guest, busy.guest),
    ]


def compared(ours: Seconds, theirs: Seconds) -> tuple[float, str]:
    """The median of the rounds' ratios, as with the agents, and the median speeds in words."""
    ratio = statistics.median(other / mine for mine, other in zip(ours, theirs, strict=True))
    speeds = [SIZE / statistics.median(times) for times in (ours, theirs)]
    return ratio, "{:,.0f} MiB/s against {:,.0f} MiB/s (medians of {})".format(*speeds, ROUNDS)


def of_memory(whose: str, idle: float, busy: float) -> Row:
    what = f"RssAnon of {whose} while {SIZE} MiB are streamed both ways, in MiB more than while none are"
    return at_most(what, MAX_MEMORY, busy - idle, f"{busy:.1f} against {idle:.1f}", digits=1)


@contextmanager
def big_file() -> Iterator[str]:
    """A file in the home of the box; its path on the host."""
    path = os.path.join(os.environ["LITTERBOX_ROOT"], "homes", BOX, os.path.basename(IN_BOX))
    piece = os.urandom(1024 * 1024)
    with open(path, "wb") as file:
        file.writelines(piece for _ in range(SIZE))
    try:
        yield path
    finally:
        os.unlink(path)


@contextmanager
def watched(daemon: int) -> Iterator[Peak]:
    """What the daemon and an interceptor take at most while the block runs."""
    peak = Peak()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_INTERVAL):
            peak.daemon = max(peak.daemon, anonymous_memory(daemon))
            peak.guest = max(peak.guest, *map(memory_of_a_guest, filter(str.isdecimal, os.listdir("/proc"))))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield peak
    finally:
        over.set()
        watching.join()


def memory_of_a_guest(pid: str) -> float:
    """That of an interceptor, 0 for any other process."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return anonymous_memory(int(pid)) if HOST_EXEC in file.read() else 0.0
    except (OSError, ValueError):  # it has just ended
        return 0.0
