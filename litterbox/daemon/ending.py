"""The end of a box: when the last session is gone, or when it is told to stop."""

import logging
import os

import trio
from trio_util import wait_any

from litterbox import locks, paths, sessions
from litterbox.daemon.container import ContainerWatcher
from litterbox.daemon.sessions import SessionWatcher

_log = logging.getLogger(__name__)


async def until_the_end(name: str, *, stop: trio.Event, watcher: SessionWatcher, container: ContainerWatcher) -> int:
    """Keep the session lock true until the box has ended; returns the enter lock's descriptor, held.

    The caller closes it when the sockets are gone and the daemon lock is free: an `enter` that arrives meanwhile
    waits for it and then starts afresh.
    """
    held: list[int] = []

    async def tidy() -> None:
        async for _ in watcher.ended.events(repeat_last=True):
            descriptor = await take_enter_lock(name)
            left = sessions.remove(paths.session_lock(name))
            if watcher.seen_any and not left:
                _log.info("the last session is gone: stopping the box")
                held.append(descriptor)
                return
            os.close(descriptor)

    await wait_any(stop.wait, tidy)
    if not held:
        _log.info("stopping the box: it was asked for")
        held.append(await take_enter_lock(name))
    sessions.clear(paths.session_lock(name))
    await container.end()
    return held[0]


async def take_enter_lock(name: str) -> int:
    """The enter lock's descriptor, held. A cancelled wait leaves its thread behind, which ends with the process."""
    return await trio.to_thread.run_sync(locks.acquire, paths.enter_lock(name), abandon_on_cancel=True)
