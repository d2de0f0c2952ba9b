"""Runs a program of the host's desktop for a short time. Bounds its time and its output, and ends it on cancellation.

A program that succeeds may leave a process in the background, as `wl-copy` does. That process is left running.
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

TIMEOUT: Final = 20.0  # seconds for a run, which takes milliseconds unless the program that it asks hangs

_KERNEL_DELAY: Final = 5.0  # seconds after the timeout until the kernel ends the program, in case the daemon was killed
_MAX_COMPLAINT_LENGTH: Final = 4096  # bytes of standard error that are read
_READ_SIZE: Final = 65536

_INHERITED: Final = ("HOME", "PATH", "USER", "XDG_RUNTIME_DIR", "TMPDIR")


class ToolError(LitterboxError):
    """The program is not installed, does not answer, or failed. A failed program's first line is the sentence."""


class ToolMissing(ToolError):
    """The program is not installed."""


class TooMuchOutput(ToolError):
    """The program wrote more than the caller allows, and was killed."""


async def run(
    words: Sequence[str],
    display: Mapping[str, str],
    *,
    stdin: BinaryIO | None = None,
    max_output: int | None = None,
    within: float = TIMEOUT,
) -> bytes:
    """Run the command line `words` in the environment of a login, `display`. Return its standard output.

    `stdin` is a file, or None for no input. The output may have `max_output` bytes; with None it is discarded. Raises
    ToolError, also after `within` seconds. Where the program fails or this call is cancelled, its process group is
    killed and the process is reaped before the call returns.
    """
    path = _path(words[0])
    # Not a pipe: a process that stays in the background keeps it open, so that it would have no end.
    with os.fdopen(os.memfd_create("stderr"), "r+b", buffering=0) as complaints:
        try:
            process = await trio.lowlevel.open_process(
                [path, *words[1:]],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.DEVNULL if max_output is None else subprocess.PIPE,
                stderr=complaints,
                env={name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(display),
                cwd="/",
                start_new_session=True,
                preexec_fn=_bounded(within + _KERNEL_DELAY),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ToolError(f"{words[0]} cannot be started: {error}") from error
        output = await _finish(process, words[0], max_output, within)
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


async def _finish(process: trio.Process, name: str, max_output: int | None, within: float) -> bytes:
    try:
        with trio.fail_after(within):
            output = b"" if process.stdout is None or max_output is None else await _read(process.stdout, max_output)
            await process.wait()
            return output
    except trio.TooSlowError:
        raise ToolError(f"{name} does not answer") from None
    finally:
        await _end(process)


async def _read(stream: trio.abc.ReceiveStream, max_output: int) -> bytes:
    output = bytearray()
    while data := await stream.receive_some(_READ_SIZE):
        output += data
        if len(output) > max_output:
            raise TooMuchOutput(f"there are more than {max_output:,} bytes of it")
    return bytes(output)


async def _end(process: trio.Process) -> None:
    if process.returncode is None:  # a program that has ended may have left a process that serves the copied text
        await process_group.terminate(process, kill_after=0)
    if process.stdout is not None:
        with trio.CancelScope(shield=True):
            await process.stdout.aclose()


def _bounded(seconds: float) -> Callable[[], None]:
    """Return what the child calls before exec. It sets a timer, which ends the child even without the daemon.

    Processes that the child starts do not inherit the timer (setitimer(2)).
    """

    def before_exec() -> None:
        limits.restore()
        signal.setitimer(signal.ITIMER_REAL, seconds)

    return before_exec
