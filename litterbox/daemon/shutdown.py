"""The end of a box: when the last session is gone, or when it is told to stop."""

import logging
import os
from contextlib import aclosing

import trio
from trio_util import RepeatedEvent

from litterbox import locks, paths
from litterbox.daemon.container import ContainerWatcher
from litterbox.daemon.sessions import SessionWatcher
from litterbox.sessions import SessionLock

_NAME_HOLDER_INTERVAL = 30.0  # seconds of waiting for the enter lock between two lines in the log
_LOOK_INTERVAL = 0.05  # seconds between two tries to take it

_logger = logging.getLogger(__name__)


async def until_the_end(
    name: str, *, stop: trio.Event, sessions: SessionLock, watcher: SessionWatcher, container: ContainerWatcher
) -> int:
    """Keep the session lock true until the box has ended; returns the enter lock's descriptor, held.

    The caller closes it when the sockets are gone and the daemon lock is free: an `enter` that arrives meanwhile
    waits for it and then starts afresh.
    """
    async with trio.open_nursery() as nursery, aclosing(watcher.ended.events(repeat_last=True)) as changes:
        nursery.start_soon(_count_as_change, stop, watcher.ended)
        async for _ in changes:
            enter_lock = await take_enter_lock(name)
            left = await trio.to_thread.run_sync(sessions.remove)
            if stop.is_set() or (watcher.seen_any and not left):
                break
            os.close(enter_lock)
        nursery.cancel_scope.cancel()
    _logger.info("stopping the box: %s", "it was asked for" if stop.is_set() else "the last session is gone")
    await trio.to_thread.run_sync(sessions.clear)
    await container.end()
    return enter_lock


async def _count_as_change(stop: trio.Event, changed: RepeatedEvent) -> None:
    await stop.wait()
    changed.set()


async def take_enter_lock(name: str) -> int:
    """The enter lock's descriptor, held. The log says who holds it meanwhile; `litterbox stop` ends who waits."""
    path = paths.enter_lock(name)
    name_holder_at = trio.current_time() + _NAME_HOLDER_INTERVAL
    while (descriptor := locks.try_acquire(path)) is None:
        if trio.current_time() >= name_holder_at:
            _logger.warning("still waiting for the box's lock, held by %s", locks.holder(path))
            name_holder_at += _NAME_HOLDER_INTERVAL
        await trio.sleep(_LOOK_INTERVAL)
    return descriptor
