"""Ending what a session left running when its `podman exec` went: as a closed terminal would, then for certain.

`podman exec` ending does not end what it started: the shell would run on in a box that others keep open.
"""

import contextlib
import logging
import os
import signal
from collections.abc import Iterator

import trio

from litterbox_guest import proc, sessions
from litterbox_guest.changes import ChangeFlag

GRACE = 5.0  # seconds between the hang-up and the kill (docs/design.md, "Leaving")
_SETTLE_DELAY = 0.05  # seconds; the lock is rewritten in place, so that one look may catch it half-written
# It has ended; or somebody has configured Podman to give containers less than its usual capabilities.
_NOT_TO_BE_SIGNALLED = (ProcessLookupError, PermissionError)

_log = logging.getLogger(__name__)


async def end_departed_sessions(
    lock_changed: ChangeFlag, lock: str = sessions.LOCK, *, records: str = sessions.RECORDS, grace: float = GRACE
) -> None:
    """End the processes of each recorded session that leaves the lock; returns when the lock is empty.

    Whatever is being ended then is left to the end of the box.
    """
    ending: set[str] = set()
    async with trio.open_nursery() as nursery:
        while not sessions.is_empty(lock):
            listed = await _settled(lock)
            for session, (pid, start_time) in sessions.recorded(records).items():
                if session not in listed | ending:
                    ending.add(session)
                    nursery.start_soon(_end, session, pid, start_time, records, grace)
            await lock_changed.wait()
        nursery.cancel_scope.cancel()


async def _settled(lock: str) -> set[str]:
    """What the lock lists, once two looks agree."""
    before: set[str] | None = None
    while (now := sessions.listed(lock)) != before:
        before = now
        await trio.sleep(_SETTLE_DELAY)
    return now


async def _end(session: str, pid: int, start_time: str, records: str, grace: float) -> None:
    """HUP and CONT to the session's process group and the one in the foreground, then KILL to its process."""
    with _process(pid, start_time) as process:
        if process is not None:
            _log.info("session %s is gone: ending process %d", session, pid)
            _hang_up(process, pid)
            with trio.move_on_after(grace) as patience:
                await trio.lowlevel.wait_readable(process)  # readable: the process has ended (pidfd_open(2))
            if patience.cancelled_caught:
                _send(process, signal.SIGKILL)
    sessions.forget(session, folder=records)


@contextlib.contextmanager
def _process(pid: int, start_time: str) -> Iterator[int | None]:
    """A pidfd of exactly that process; None when it has ended, whoever has its PID now."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield process if _is_still(pid, start_time) else None
    finally:
        os.close(process)


def _is_still(pid: int, start_time: str) -> bool:
    try:
        return proc.stat(pid)[proc.START_TIME] == start_time
    except ProcessLookupError:
        return False


def _hang_up(process: int, pid: int) -> None:
    """As the kernel does when a terminal goes: the shell, and what runs in the foreground of it."""
    try:
        fields = proc.stat(pid)
    except ProcessLookupError:
        return
    groups = {int(fields[proc.GROUP]), int(fields[proc.FOREGROUND_GROUP])}
    for number in (signal.SIGHUP, signal.SIGCONT):
        _send(process, number)
        for group in groups:
            if group > 1:  # -1: no terminal; 0 and 1: not a session's
                with contextlib.suppress(*_NOT_TO_BE_SIGNALLED):
                    os.killpg(group, number)


def _send(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(*_NOT_TO_BE_SIGNALLED):
        signal.pidfd_send_signal(process, number)
