"""Untrusted work that takes all its threads, for as long as a test needs it to."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from litterbox import workers


@asynccontextmanager
async def busy_workers() -> AsyncIterator[None]:
    """Until the end of the block no thread is free for untrusted work, and there is a queue for them."""
    event = threading.Event()
    try:
        async with trio.open_nursery() as nursery:
            for _ in range(workers.MAX_WORKERS + 10):
                nursery.start_soon(workers.run_untrusted, event.wait)
            while not workers.limiter().statistics().tasks_waiting:
                await trio.lowlevel.checkpoint()
            yield
            nursery.cancel_scope.cancel()
    finally:
        event.set()
