"""The rows of what a box asks of its host: an interceptor's start, a notification, a command of the host."""

import statistics

from box_shell import Seconds, box_shell, host_shell, in_turn
from measure_box import BOX
from programs import run, say
from rows import Row, at_most, told
from session_bus import FLATPAK_SPAWN, session_bus

STARTS = 40  # of each kind, alternating, after a warm-up
NOTIFICATIONS = 18  # a box may show 20 at once
AT_ONCE = 32  # host commands that a box may run at once
MANY, MANY_ROUNDS = 100, 3

BARE = "/litterbox-runtime/bin/python3 -IS -c pass"


def measure_interceptor() -> list[Row]:
    run("litterbox", "settings", BOX, "set", "notify", "true")
    with session_bus(), box_shell() as in_box, host_shell() as on_host:
        say(f"starting an interceptor {STARTS} times")
        times = in_turn({"bare": (in_box, BARE), "start": (in_box, "notify-send --version")}, STARTS)
        say(f"showing {NOTIFICATIONS} notifications, in turn with libnotify")
        times |= in_turn(
            {
                "ours": (in_box, "notify-send --expire-time=1 bench"),
                "libnotify's": (on_host, "notify-send --expire-time=1 bench"),
            },
            NOTIFICATIONS,
        )
    bare, start, ours, theirs = (milliseconds(times[name]) for name in times)
    return [
        at_most(
            "start of an interceptor, in ms more than the bare interpreter's",
            25,
            start - bare,
            f"`notify-send --version`: {start:.1f} against {bare:.1f} (medians of {STARTS})",
            digits=1,
        ),
        told(
            "`notify-send` in a box, in ms until dunst has it",
            f"{ours:.1f}",
            f"libnotify's on the host: {theirs:.1f} (medians of {NOTIFICATIONS})",
        ),
    ]


def measure_host_exec() -> list[Row]:
    allow("true")
    with session_bus(), box_shell() as in_box, host_shell() as on_host:
        say(f"running true on the host {STARTS} times, in turn with podman exec and flatpak-spawn")
        times = in_turn(
            {
                "ours": (in_box, "host-exec true"),
                "podman": (on_host, f"podman exec lbx-{BOX} true"),
                "flatpak": (on_host, f"{FLATPAK_SPAWN} --host true"),
            },
            STARTS,
        )
        say(f"running true on the host {MANY} times, {AT_ONCE} at a time, in turn with podman exec")
        many = in_turn(
            {
                "ours": (in_box, at_once("host-exec true")),
                "podman": (on_host, at_once(f"podman exec lbx-{BOX} true")),
            },
            MANY_ROUNDS,
        )
    ours, podman, flatpak = (milliseconds(times[name]) for name in times)
    of_many = {name: statistics.median(taken) for name, taken in many.items()}
    details = f"{ours:.1f} ms against {podman:.1f} ms (medians of {STARTS})"
    return [
        at_most("`host-exec true` in a box ÷ `podman exec … true`", 2, ours / podman, details),
        told(
            "`host-exec true` in a box ÷ `flatpak-spawn --host true`, called on the host",
            f"{ours / flatpak:.2f}",
            f"{ours:.1f} ms against {flatpak:.1f} ms (medians of {STARTS})",
        ),
        told(
            f"{MANY} times `host-exec true`, {AT_ONCE} at a time, in s until all have succeeded",
            f"{of_many['ours']:.2f}",
            f"`podman exec`: {of_many['podman']:.2f} (medians of {MANY_ROUNDS})",
        ),
    ]


def allow(*commands: str) -> None:
    """Let the box run these commands of the host, without a question."""
    run("litterbox", "settings", BOX, "set", "host_exec", "true")
    for command in commands:
        run("litterbox", "settings", BOX, "host-exec", "add", command, f"/usr/bin/{command}")


def at_once(command: str) -> str:
    """A line that fails where one of the commands does."""
    return f"seq {MANY} | xargs --max-procs={AT_ONCE} --replace {command}"


def milliseconds(taken: Seconds) -> float:
    return statistics.median(taken) * 1000
