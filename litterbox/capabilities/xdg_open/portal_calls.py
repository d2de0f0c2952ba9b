"""Having a process call the desktop's portal in the daemon's place (portal_process.py says why)."""

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

_STARTUP: Final = 30.0  # seconds, beside those that the user has; for a start on a busy machine, and the bus
_TAKING_BACK: Final = 3.0  # seconds for a question to go away
_MAX_REASON: Final = 4096  # bytes

_logger = logging.getLogger(__name__)


async def open_uri(address: str, uri: str) -> Outcome:
    """Open it by the portal on the bus of that address; returns OPENED, NO_BUS or NO_PORTAL. Raises OpeningError.

    Cancelled, it takes the request back, and the process is gone.
    """
    try:
        with trio.CancelScope(shield=True):  # nobody would know of a process that starts as we leave
            process = await _start(address)
    except OSError as error:
        raise OpeningError(f"the desktop's portal cannot be asked: {error.strerror}") from error
    reason = b""
    try:
        with trio.move_on_after(portal.TIMEOUT + _STARTUP), suppress(trio.BrokenResourceError):
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
    """Let it take its request back, for a moment; then it is killed. It is reaped in any case."""
    with trio.CancelScope(shield=True):
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                await stream.aclose()
        with trio.move_on_after(_TAKING_BACK):
            await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
