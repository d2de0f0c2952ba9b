"""Notices that a client has disconnected while its request waits for an answer, without reading from its socket."""

import select
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager

import trio


class Hangups:
    """One epoll(7) set for all connections of a listener. Made by `open_hangups`.

    The kernel reports EPOLLHUP even for a socket that is registered for no events. It means that both directions are
    closed, so that the client cannot read an answer. A client that has only closed its sending side still can.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._scopes: dict[int, trio.CancelScope] = {}

    @contextmanager
    def cancelling(self, connection: trio.socket.SocketType) -> Iterator[trio.CancelScope]:
        """Cancel the block when the peer of `connection` hangs up. The scope's `cancelled_caught` is then true."""
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
        """Wait for hang-ups until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for descriptor, _events in self._epoll.poll(0):
                self._epoll.unregister(descriptor)  # otherwise the kernel would report it again and again
                self._scopes.pop(descriptor).cancel()

    def close(self) -> None:
        self._epoll.close()


@asynccontextmanager
async def open_hangups() -> AsyncIterator[Hangups]:
    """Yield a `Hangups` that is watched during the block, and closed after it."""
    with closing(Hangups()) as hangups:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hangups.watch)
            yield hangups
            nursery.cancel_scope.cancel()
