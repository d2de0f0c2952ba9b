"""Ends a child process of the daemon that leads a process group, and every other process of that group."""

import os
import signal
from typing import Final

import trio

from litterbox.capabilities import group_signals

_KILL_TIMEOUT: Final = 1.0  # seconds that killed processes have to disappear


async def wait_exited(process: trio.Process) -> None:
    """Wait until the process has ended, without reaping it: until it is reaped, no other process gets its PID."""
    pidfd = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


async def terminate(process: trio.Process, *, kill_after: float = group_signals.TERMINATE_TIMEOUT) -> int | None:
    """End the process group with TERM, and with KILL after `kill_after` seconds, and reap the process.

    Returns its status as `trio.Process.returncode` has it. Returns None where the process does not end because it
    belongs to another user, as sudo does. The caller must not have reaped the process. Cannot be cancelled.
    """
    group = process.pid
    with trio.CancelScope(shield=True):
        if await _has_living(group):
            if kill_after:
                group_signals.end(group, signal.SIGTERM)
                await _gone_within(kill_after, group)
            group_signals.end(group, signal.SIGKILL)
            await _gone_within(_KILL_TIMEOUT, group)
    return process.poll()


async def _gone_within(seconds: float, group: int) -> None:
    with trio.move_on_after(seconds):
        while await _has_living(group):  # noqa: ASYNC110 - the kernel reports no end of a process group
            await trio.sleep(group_signals.LOOK_INTERVAL)


async def _has_living(group: int) -> bool:
    return await trio.to_thread.run_sync(group_signals.has_living, group)
