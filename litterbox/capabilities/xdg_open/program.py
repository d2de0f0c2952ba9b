"""Runs the host's own `xdg-open`, which opens links on desktops that have no portal.

On some desktops it ends as soon as the browser has the link. On others it is the parent of the browser, and ends with
it. So we wait for it for a few seconds only. In that time it belongs to the request and ends with it; later it belongs
to the user and is left running.
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

SETTLE_DELAY: Final = 5.0  # seconds; a program that still runs then has not failed
MAX_RUNNING: Final = 16  # at once; the command ends quickly where a browser is running already

_TERMINATE_TIMEOUT: Final = 0.5  # seconds from TERM to KILL
_NO_TOOL: Final = 3  # xdg-open(1)


class OpeningError(LitterboxError):
    """The link could not be opened. `status` is the exit status of xdg-open(1) for it: "the action failed"."""

    status = 4


class NothingOpens(OpeningError):
    """The host has no program to open the link with: "a required tool could not be found"."""

    status = 3


class NotChosen(OpeningError):
    """The desktop asked the user for a program and the user chose none. No other login is tried then."""


@attrs.frozen
class XdgOpenProgram:
    """Runs `xdg-open`. A process that keeps running is waited for in `_running`, only to reap it when it ends."""

    _running: trio.Nursery

    async def open(self, uri: str, environment: Mapping[str, str]) -> None:
        """Open the link `uri`, which begins with a scheme and so is no option. Raises OpeningError.

        When cancelled, it ends the program and its process group, and reaps the program.
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
        """Return its exit status, 0 where it keeps running."""
        process = await _start(command, environment)
        done = False
        try:
            with trio.move_on_after(SETTLE_DELAY):
                await process.wait()
            done = True
        finally:
            if not done and process.returncode is None:
                await process_group.terminate(process, kill_after=_TERMINATE_TIMEOUT)
        if process.returncode is None:
            self._running.start_soon(process.wait)
        return process.returncode or 0


async def _start(command: list[str], environment: Mapping[str, str]) -> trio.Process:
    try:
        # Its output is no pipe: a browser that outlives the daemon would be killed by it, or hang.
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
