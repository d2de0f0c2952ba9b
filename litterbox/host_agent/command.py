"""The command of `litterbox agent -- COMMAND`: in our terminal and process group, and we stay until it has ended."""

import logging
import os
import shlex
import signal
from collections.abc import AsyncIterator, Sequence

import trio

from litterbox import limits
from litterbox.errors import LitterboxError

NOT_RUNNABLE, NOT_FOUND = 126, 127  # as shells have it
KILLED = 128  # and the number of the signal

# A terminal sends these to the whole process group in its foreground, where the command is too.
_FROM_TERMINAL = frozenset({signal.SIGINT, signal.SIGQUIT})

_logger = logging.getLogger(__name__)


class CommandError(LitterboxError):
    """The command cannot be run; `status` is as a shell's."""

    def __init__(self, command: str, error: OSError) -> None:
        super().__init__(f"{command} cannot be run: {error.strerror}.")
        self.status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUNNABLE


async def run_command(command: Sequence[str], signals: AsyncIterator[int], **variables: str) -> int:
    """Run `command` with `variables` added to our environment; returns its status, KILLED + N where signal N ended it.

    `signals`, those that we receive, are passed on to it. Raises CommandError. When this is cancelled, the command goes
    on, and so does this until it ends: it is not ours to kill, and the user is told that it is alone.
    """
    try:
        process = await trio.lowlevel.open_process(
            list(command), env={**os.environ, **variables}, preexec_fn=limits.for_children()
        )
    except OSError as error:
        raise CommandError(command[0], error) from error
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_tell_when_cancelled, process, command)
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as shielded:
                shielded.start_soon(_pass_on, signals, process)
                status = await process.wait()
                shielded.cancel_scope.cancel()
        nursery.cancel_scope.cancel()
    return KILLED - status if status < 0 else status


async def _tell_when_cancelled(process: trio.Process, command: Sequence[str]) -> None:
    try:
        await trio.sleep_forever()
    finally:
        if process.returncode is None:
            _logger.error("the agent has failed; %s goes on without it", shlex.join(command[:1]))


async def _pass_on(signals: AsyncIterator[int], process: trio.Process) -> None:
    async for number in signals:
        if number not in _FROM_TERMINAL or not _in_foreground():
            process.send_signal(number)


def _in_foreground() -> bool:
    """Whether a terminal counts us to its foreground: it has told the command already what it told us."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
