"""Starts a process that calls the desktop's portal for the daemon. portal_process.py says why."""

import logging
import subprocess
import sys
from contextlib import suppress
from typing import Final

import trio

from litterbox import limits
from litterbox.capabilities.xdg_open import portal, portal_process
from litterbox.capabilities.xdg_open.portal_process import Outcome
from litterbox.capabilities.xdg_open.program import NotChosen, OpeningError
from litterbox.confirm.escaping import escape_untrusted

_STARTUP_TIMEOUT: Final = 30.0  # seconds to start on a busy machine and to reach the bus
_WITHDRAW_TIMEOUT: Final = 3.0  # seconds to close the dialog of the portal
_MAX_REASON: Final = 4096  # bytes

_logger = logging.getLogger(__name__)


async def open_uri(address: str, uri: str) -> Outcome:
    """Open the link through the portal on that bus. Returns OPENED, NO_BUS or NO_PORTAL. Raises OpeningError.

    When cancelled, it withdraws the request and ends the process.
    """
    try:
        with trio.CancelScope(shield=True):  # a process that starts during a cancellation must not be lost
            process = await _start(address)
    except OSError as error:
        raise OpeningError(f"the desktop's portal cannot be asked: {error.strerror}") from error
    reason = b""
    try:
        with trio.move_on_after(portal.TIMEOUT + _STARTUP_TIMEOUT), suppress(trio.BrokenResourceError):
            assert process.stdin is not None
            assert process.stdout is not None
            await process.stdin.send_all(uri.encode() + b"\n")
            while len(reason) < _MAX_REASON and (piece := await process.stdout.receive_some()):
                reason += piece
            await process.wait()
    finally:
        await _end(process)
    match process.returncode:
        case Outcome.OPENED | Outcome.NO_BUS | Outcome.NO_PORTAL:
            return Outcome(process.returncode)
        case Outcome.NOT_CHOSEN:
            raise NotChosen(reason.decode("utf-8", "replace"))
        case Outcome.FAILED:
            raise OpeningError(reason.decode("utf-8", "replace"))
    _logger.error(
        "the process that calls the portal ended with %s: %s", process.returncode, escape_untrusted(repr(reason))
    )
    raise OpeningError("the desktop's portal could not be asked")


async def _start(address: str) -> trio.Process:
    command = [sys.executable, "-P", "-m", portal_process.__name__, address, str(portal.TIMEOUT)]
    return await trio.lowlevel.open_process(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=limits.for_children(),
    )


async def _end(process: trio.Process) -> None:
    """Let the process withdraw its request. Kill it where that takes too long. Reap it in any case."""
    with trio.CancelScope(shield=True):
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                await stream.aclose()
        with trio.move_on_after(_WITHDRAW_TIMEOUT):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
