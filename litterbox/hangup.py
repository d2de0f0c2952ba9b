"""Noticing that a client has gone while its request waits for an answer, without reading what it sent."""

import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import trio


class Hangups:
    """One epoll(7) set for a listener's connections; made by `open_hangups`.

    A set asked for no event at all still tells of EPOLLHUP: both directions are closed, nobody can read an
    answer. A client that has only closed its sending side may still read one, so that is not enough.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._scopes: dict[int, trio.CancelScope] = {}

    @contextmanager
    def cancelling(self, connection: trio.socket.SocketType) -> Iterator[trio.CancelScope]:
        """Cancel the block when the peer of `connection` hangs up; the scope's `cancelled_caught` tells."""
        descriptor = connection.fileno()
        with trio.CancelScope() as scope:
            self._epoll.register(descriptor, 0)
            self._scopes[descriptor] = scope
            try:
                yield scope
            finally:
                if self._scopes.pop(descriptor, None) is not None:
                    self._epoll.unregister(descriptor)

    async def watch(self) -> None:
        """Wait for hang-ups until cancelled; sleeps in the kernel."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for descriptor, _events in self._epoll.poll(0):
                self._epoll.unregister(descriptor)  # it would be told again and again
                self._scopes.pop(descriptor).cancel()

    def close(self) -> None:
        self._epoll.close()


@asynccontextmanager
async def open_hangups() -> AsyncIterator[Hangups]:
    """A `Hangups` that is watched in this block's nursery, and closed after it."""
    with closing(Hangups()) as hangups:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hangups.watch)
            yield hangups
            nursery.cancel_scope.cancel()
