"""Ending a child of the daemon that leads a process group, and everything in that group."""

import signal

import trio

from litterbox.capabilities import process_groups


async def end(process: trio.Process, *, grace: float = process_groups.GRACE) -> None:
    """Have the process group gone and the process reaped: TERM, and KILL after `grace` seconds, at once where it is 0.

    Cannot be cancelled. Does nothing where the group has ended.
    """
    group = process.pid
    if process.returncode is not None and not process_groups.is_there(group):
        return
    with trio.CancelScope(shield=True):
        if grace:
            process_groups.end(group, signal.SIGTERM)
            with trio.move_on_after(grace):
                await process.wait()
                while process_groups.is_there(group):  # noqa: ASYNC110 - nothing tells of the end of a group
                    await trio.sleep(process_groups.GLANCE)
        process_groups.end(group, signal.SIGKILL)
        await process.wait()
