"""The end of a box: when the last session is gone, or when it is told to stop."""

import logging
import os
from contextlib import aclosing

import trio
from trio_util import RepeatedEvent

from litterbox import locks, paths, sessions
from litterbox.daemon.container import ContainerWatcher
from litterbox.daemon.sessions import SessionWatcher

_logger = logging.getLogger(__name__)


async def until_the_end(name: str, *, stop: trio.Event, watcher: SessionWatcher, container: ContainerWatcher) -> int:
    """Keep the session lock true until the box has ended; returns the enter lock's descriptor, held.

    The caller closes it when the sockets are gone and the daemon lock is free: an `enter` that arrives meanwhile
    waits for it and then starts afresh.
    """
    async with trio.open_nursery() as nursery, aclosing(watcher.ended.events(repeat_last=True)) as changes:
        nursery.start_soon(_count_as_change, stop, watcher.ended)
        async for _ in changes:
            # One task takes the lock, and nothing cancels it: a lock taken for nobody would shut everybody out.
            enter_lock = await take_enter_lock(name)
            left = sessions.remove(paths.session_lock(name))
            if stop.is_set() or (watcher.seen_any and not left):
                break
            os.close(enter_lock)
        nursery.cancel_scope.cancel()
    _logger.info("stopping the box: %s", "it was asked for" if stop.is_set() else "the last session is gone")
    sessions.clear(paths.session_lock(name))
    await container.end()
    return enter_lock


async def _count_as_change(stop: trio.Event, changed: RepeatedEvent) -> None:
    await stop.wait()
    changed.set()


async def take_enter_lock(name: str) -> int:
    """The enter lock's descriptor, held. Cancelled only when the process ends, which ends the waiting thread too."""
    return await trio.to_thread.run_sync(locks.acquire, paths.enter_lock(name), abandon_on_cancel=True)
