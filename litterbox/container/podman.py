"""The only place that runs podman. Never through a shell; every failure names the command and Podman's message.

A box can make Podman wait: Podman reads files of the image, and holds a lock meanwhile that all its other commands
need. So every call has a deadline, after which its process group is killed.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, TypedDict

from litterbox import limits
from litterbox.container import interruption
from litterbox.container.program import find
from litterbox.errors import PodmanError, PodmanTimeout

LABEL = "work.litterbox.name"
RUNNING = ("initialized", "running", "paused", "stopping")  # Podman's words for a container whose mounts are in use

CALL_TIMEOUT = 20.0  # seconds for a call that asks, or changes a container; it takes a tenth of one
STORAGE_TIMEOUT = 300.0  # seconds for a call that copies or deletes what a container or an image holds

_TERM_TIMEOUT = 1.0  # seconds that a podman has to finish what it writes, before it is killed
_KILL_TIMEOUT = 5.0  # seconds in which a killed process ends, unless the kernel keeps it
_TAIL = 4096  # bytes of Podman's last words that are kept for the error


class Info(TypedDict):
    """What `podman info` says of the host: `version` as numbers, `uids` the size of the user's id mapping."""

    version: tuple[int, ...]
    rootless: bool
    uids: int


def run(*arguments: str, within: float = CALL_TIMEOUT) -> str:
    """Run podman quietly and return its standard output; raises PodmanError.

    It is killed after `within` seconds, which raises PodmanTimeout.
    """
    done = _call(arguments, within)
    if done.returncode != 0:
        raise failure(arguments, done.returncode, done.stderr)
    return done.stdout


def exists(kind: str, name: str) -> bool:
    """Say whether a `kind` ("image", "container") of that name is in local storage."""
    arguments = (kind, "exists", name)
    done = _call(arguments, CALL_TIMEOUT)
    if done.returncode > 1 or done.stderr.strip():  # Podman's own failures end with 1 too, as "no" does
        raise failure(arguments, done.returncode, done.stderr)
    return done.returncode == 0


def _call(arguments: Sequence[str], within: float) -> subprocess.CompletedProcess[str]:
    """Run podman in a process group of its own: it is two processes, one in the user namespace."""
    child = subprocess.Popen(
        [find(), *arguments],
        cwd="/",  # ours may be gone, and Podman needs one
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
        preexec_fn=limits.for_children(),  # noqa: PLW1509 - one system call, safe after a fork
    )
    try:
        stdout, stderr = child.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        _end(child)
        raise PodmanTimeout(
            f"`podman {' '.join(arguments)}` did not end within {within:.0f} s, and was killed.",
            "Another podman may hold its locks: `pgrep -a podman` shows them.",
        ) from None
    except BaseException:
        _end(child)
        raise
    return subprocess.CompletedProcess(child.args, child.returncode, stdout, stderr)


def _end(child: subprocess.Popen[str]) -> None:
    """End the process group, and wait for its leader only: what it started may keep the pipes open.

    The leader is reaped last, so that its number is no other group's as long as we signal it.
    """
    if child.returncode is None:
        ended = select.poll()
        process = os.pidfd_open(child.pid)
        ended.register(process, select.POLLIN)
        for number, within in ((signal.SIGTERM, _TERM_TIMEOUT), (signal.SIGKILL, _KILL_TIMEOUT)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            ended.poll(within * 1000)
        os.close(process)
        child.poll()
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()


def show(*arguments: str, text: str = "") -> None:
    """Run podman with its output shown as it comes and `text` as its input; raises PodmanError with its last words.

    An interruption (Ctrl-C, SIGTERM, SIGHUP) ends podman in order, with all that it started, and is raised again.
    """
    with interruption.raised(), _written(text) as given:
        child = subprocess.Popen(  # not as a context manager, which would wait for it without end
            [find(), *arguments],
            cwd="/",
            stdin=given,
            stdout=sys.stderr.fileno(),
            stderr=subprocess.PIPE,
            process_group=0,  # the terminal's Ctrl-C comes to us, and we end podman
        )
        assert child.stderr is not None
        tail = b""
        try:
            while chunk := os.read(child.stderr.fileno(), 65536):
                sys.stderr.buffer.write(chunk)
                sys.stderr.buffer.flush()
                tail = (tail + chunk)[-_TAIL:]
            child.wait()
        except BaseException:
            interruption.end(child, kill=_kill_as_root)
            raise
        finally:
            child.stderr.close()
    if child.returncode != 0:
        raise failure(arguments, child.returncode, tail.decode(errors="replace"))


def _kill_as_root(pid: int) -> None:
    with contextlib.suppress(PodmanError):  # it is gone
        run("unshare", "kill", "-KILL", str(pid))


def _written(text: str) -> IO[bytes]:
    """A file without a name that holds the text, to be read from its beginning."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(text.encode(errors="surrogateescape"))
    file.seek(0)
    return file


def failure(arguments: Sequence[str], status: int, message: str) -> PodmanError:
    """The error for a podman that ended with `status` and said `message`."""
    last_words = [line for line in message.strip().splitlines() if line.strip()]
    said = last_words[-1] if last_words else "It said nothing."
    return PodmanError(f"`podman {' '.join(arguments)}` failed with status {status}.", said)


def info() -> Info:
    """Ask Podman about the host (about 0.1 s)."""
    answer = json.loads(run("info", "--format", "json"))
    mapping = answer["host"].get("idMappings") or {}
    return Info(
        version=version_numbers(answer["version"]["Version"]),
        rootless=bool(answer["host"]["security"]["rootless"]),
        uids=sum(int(entry["size"]) for entry in mapping.get("uidmap") or []),
    )


def version() -> tuple[int, ...]:
    """Podman's version, without asking for anything else (a few milliseconds)."""
    return version_numbers(run("--version").split()[-1])


def version_numbers(text: str) -> tuple[int, ...]:
    """`5.4.2-dev` → (5, 4, 2)."""
    numbers = []
    for part in text.partition("-")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
