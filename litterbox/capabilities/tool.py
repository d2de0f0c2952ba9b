"""One short run of a program of the host's desktop: bounded in time and in output, and gone when it is cancelled.

What the program leaves in the background when it has ended well, as `wl-copy` does, is not ours to end.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Final

import trio

from litterbox import limits
from litterbox.capabilities import process_group
from litterbox.errors import LitterboxError

TIMEOUT: Final = 20.0  # seconds for a run; one takes milliseconds, unless the program that it asks hangs

_MARGIN: Final = 5.0  # seconds after TIMEOUT until the kernel ends what a daemon that was killed left behind
_MAX_COMPLAINT_LENGTH: Final = 4096  # bytes of standard error that are read
_READ_SIZE: Final = 65536

_INHERITED: Final = ("HOME", "PATH", "USER", "XDG_RUNTIME_DIR", "TMPDIR")


class ToolError(LitterboxError):
    """The program is not there, failed (the sentence is the first line that it said) or did not answer."""


class ToolMissing(ToolError):
    """The program is not installed."""


class TooMuchOutput(ToolError):
    """The program wrote more than was asked for; it was killed."""


async def run(
    words: Sequence[str],
    display: Mapping[str, str],
    *,
    stdin: BinaryIO | None = None,
    most: int | None = None,
    patience: float = TIMEOUT,
) -> bytes:
    """Run `words` in the environment of a login, `display`, with the file `stdin`; return what it wrote.

    That is at most `most` bytes; with None its output goes nowhere, and its end alone counts. Raises ToolError.
    When it fails, and when this is cancelled, its process group is killed and the process reaped before this returns.
    """
    path = _path(words[0])
    # Not a pipe: what stays in the background keeps it, and its end would never come.
    with os.fdopen(os.memfd_create("stderr"), "r+b", buffering=0) as complaints:
        try:
            process = await trio.lowlevel.open_process(
                [path, *words[1:]],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.DEVNULL if most is None else subprocess.PIPE,
                stderr=complaints,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(display),
                cwd="/",
                start_new_session=True,
                preexec_fn=_bounded(patience + _MARGIN),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolError(f"{words[0]} cannot be started: {error}") from error
        output = await _finish(process, words[0], most, patience)
        if process.returncode == 0:
            return output
        complaints.seek(0)
        complaint = complaints.read(_MAX_COMPLAINT_LENGTH).decode("utf-8", "replace").strip()
    raise ToolError(complaint.partition("\n")[0] or f"{words[0]} ended with status {process.returncode}")


def _path(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise ToolMissing(f"{program} is not installed")
    return os.path.abspath(path)


async def _finish(process: trio.Process, name: str, most: int | None, patience: float) -> bytes:
    try:
        with trio.fail_after(patience):
            output = b"" if process.stdout is None or most is None else await _read(process.stdout, most)
            await process.wait()
            return output
    except trio.TooSlowError:
        raise ToolError(f"{name} does not answer") from None
    finally:
        await _end(process)


async def _read(stream: trio.abc.ReceiveStream, most: int) -> bytes:
    output = bytearray()
    while data := await stream.receive_some(_READ_SIZE):
        output += data
        if len(output) > most:
            raise TooMuchOutput(f"there are more than {most:,} bytes of it")
    return bytes(output)


async def _end(process: trio.Process) -> None:
    if process.returncode is None:  # what has ended well may have left a process that serves what was copied
        await process_group.terminate(process, grace=0)
    if process.stdout is not None:
        with trio.CancelScope(shield=True):
            await process.stdout.aclose()


def _bounded(seconds: float) -> Callable[[], None]:
    """What the child does before exec: a timer of its own, which its children do not have, ends it in any case."""

    def before_exec() -> None:
        limits.restore()
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return before_exec
