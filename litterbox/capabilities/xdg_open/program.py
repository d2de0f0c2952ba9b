"""The host's own `xdg-open`, which opens links on desktops that have no portal.

On some desktops it ends as soon as the browser has the link, on others it *is* the browser's parent, and ends with it.
So it is waited for only for a while. Until then it belongs to the request, and ends with it; then it is the user's.
"""

import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

import attrs
import trio

from litterbox import limits
from litterbox.capabilities import process_group
from litterbox.errors import LitterboxError

SETTLE_DELAY: Final = 5.0  # seconds; whoever runs for so long has not failed
MAX_RUNNING: Final = 16  # that still run; a browser that runs already takes a link and ends

_GRACE: Final = 0.5  # seconds from TERM to KILL
_NO_TOOL: Final = 3  # xdg-open(1)


class OpeningError(LitterboxError):
    """`status` is the exit status of xdg-open(1) in the box: the action failed."""

    status = 4


class NothingOpens(OpeningError):
    """The host has nothing to open it with: a required tool could not be found."""

    status = 3


class NotChosen(OpeningError):
    """The desktop asked the user with which program, and got none; no other login need be tried."""


@attrs.frozen
class XdgOpenProgram:
    """Runs it. What it has started for good is waited for in `_running`, so that it is reaped, and never ended."""

    _running: trio.Nursery

    async def open(self, uri: str, environment: Mapping[str, str]) -> None:
        """Open it; `uri` begins with a scheme, so it is no option. Raises OpeningError.

        Cancelled, it ends the program with its process group, and reaps it.
        """
        program = shutil.which("xdg-open", path=environment.get("PATH"))
        if program is None:
            raise NothingOpens("the host has neither a desktop portal nor xdg-open, of the package xdg-utils")
        if len(self._running.child_tasks) >= MAX_RUNNING:
            raise OpeningError(f"{MAX_RUNNING} programs that opened links still run; close some")
        status = await self._run([program, uri], environment)
        if status == _NO_TOOL:
            raise NothingOpens("the host's xdg-open found no program to open it with")
        if status:
            raise OpeningError("the host's xdg-open failed")

    async def _run(self, command: list[str], environment: Mapping[str, str]) -> int:
        """Its exit status; 0 where it goes on running."""
        process = await _start(command, environment)
        done = False
        try:
            with trio.move_on_after(SETTLE_DELAY):
                await process.wait()
            done = True
        finally:
            if not done and process.returncode is None:
                await process_group.terminate(process, grace=_GRACE)
        if process.returncode is None:
            self._running.start_soon(process.wait)
        return process.returncode or 0


async def _start(command: list[str], environment: Mapping[str, str]) -> trio.Process:
    try:
        # No pipe for what it prints: a browser that outlives us would die of it, or hang.
        return await trio.lowlevel.open_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=environment.get("HOME", "/"),
            start_new_session=True,
            preexec_fn=limits.for_children(),
        )
    except OSError as error:
        raise OpeningError(f"the host's xdg-open cannot be started: {error.strerror}") from error
