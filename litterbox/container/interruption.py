"""The interruption of a podman that works for the user to see: it ends in order, and leaves nothing behind.

`podman build` that gets a signal exits at once: the step that it was running goes on, and its working containers stay.
A step that fails makes it clean up behind itself. So an interrupted build is given no signal: its step is ended, again
and again, until podman has left.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

STEP_TIMEOUT = 20.0  # seconds in which a build has to leave once its step is ended
EXIT_TIMEOUT = 5.0  # seconds between SIGTERM and SIGKILL
_INTERVAL = 0.1  # seconds
_STEP_RUNNERS = ("buildah-oci-runtime", "buildah-chroot-runtime")  # podman's processes that run a step


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """SIGTERM and SIGHUP raise SystemExit within the block, as Ctrl-C raises KeyboardInterrupt."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    watched = [signal.SIGTERM, signal.SIGHUP] if threading.current_thread() is threading.main_thread() else []
    before = {number: signal.getsignal(number) for number in watched}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end(child: subprocess.Popen[bytes], *, kill: Callable[[int], None]) -> None:
    """Return when podman, which leads a process group of its own, has ended; its output is dropped.

    `kill` ends a process that is another user's, as the root of the user namespace. A second interruption, or the end
    of the time, ends podman by force, which may leave what it worked on.
    """
    assert child.stderr is not None
    draining = threading.Thread(target=_drain, args=(child.stderr.fileno(),), daemon=True)
    draining.start()
    try:
        if "build" in child.args[1:2]:  # type: ignore[index] # a list: show made it
            _say("stopping the build")
            _end_steps(child, kill)
    finally:
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(EXIT_TIMEOUT)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(EXIT_TIMEOUT)
        if child.poll() is None:
            _say(f"podman (process {child.pid}) does not end, though it was killed: the kernel keeps it")
        draining.join(EXIT_TIMEOUT)


def _end_steps(child: subprocess.Popen[bytes], kill: Callable[[int], None]) -> None:
    deadline = time.monotonic() + STEP_TIMEOUT
    while child.poll() is None and time.monotonic() < deadline:
        for pid in _steps(child.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except PermissionError:  # the step runs as another user of the image
                kill(pid)
            except ProcessLookupError:
                continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_INTERVAL)
    if child.poll() is None:
        _say(
            f"podman (process {child.pid}) did not leave within {STEP_TIMEOUT:.0f} s and is ended by force; "
            "`podman ps --all --external` lists what it may have left."
        )


def _steps(group: int) -> list[int]:
    """The first process of each step that runs: a child of a step runner, in a session of its own."""
    processes = {int(name): _parent_and_group(name) for name in os.listdir("/proc") if name.isdecimal()}
    runners = {pid for pid, (_, its_group) in processes.items() if its_group == group and _is_step_runner(pid)}
    return [pid for pid, (parent, its_group) in processes.items() if parent in runners and its_group != group]


def _parent_and_group(pid: str) -> tuple[int, int]:
    """Fields 4 and 5 of /proc/PID/stat (proc(5)); zeros where the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return 0, 0
    return int(fields[1]), int(fields[2])


def _is_step_runner(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            program = file.read(4096).split(b"\0")[0]
    except OSError:
        return False
    return os.path.basename(program.decode(errors="replace")) in _STEP_RUNNERS


def _drain(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65536):
            pass


def _say(words: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone, which may be why we end
        print(f"litterbox: {words}", file=sys.stderr, flush=True)
