"""Ending a child of the daemon that leads a process group, and everything in that group."""

import os
import signal
from typing import Final

import trio

from litterbox.capabilities import group_signals

_KILL_TIMEOUT: Final = 1.0  # seconds for what was killed to be gone


async def wait_exited(process: trio.Process) -> None:
    """Wait until the process has ended, and leave it unreaped: as long as it is, its number is no other's."""
    pidfd = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


async def terminate(process: trio.Process, *, grace: float = group_signals.GRACE) -> int | None:
    """Have the process group gone, by TERM, and KILL after `grace` seconds, and the process reaped.

    Returns its status, as `trio.Process.returncode`; None where it lives on: another user's, as sudo is. Nobody may
    have reaped it before. Cannot be cancelled.
    """
    group = process.pid
    with trio.CancelScope(shield=True):
        if await _has_living(group):
            if grace:
                group_signals.end(group, signal.SIGTERM)
                await _gone_within(grace, group)
            group_signals.end(group, signal.SIGKILL)
            await _gone_within(_KILL_TIMEOUT, group)
    return process.poll()


async def _gone_within(seconds: float, group: int) -> None:
    with trio.move_on_after(seconds):
        while await _has_living(group):  # noqa: ASYNC110 - nothing tells of the end of a group
            await trio.sleep(group_signals.LOOK_INTERVAL)


async def _has_living(group: int) -> bool:
    return await trio.to_thread.run_sync(group_signals.has_living, group)
