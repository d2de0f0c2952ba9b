"""Admits connections to a listener that a box reaches. Bounds their number and the bytes that the host holds for them.

Both listeners of a box use this module, so that the bounds of a box are in one place. A connection that exceeds a bound
is closed; the other connections keep what they have.
"""

import logging
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import trio
from trio_util import AsyncBool

from litterbox import memory, peers
from litterbox.limits import MAX_CONNECTIONS, MAX_SMALL_MESSAGE
from litterbox.peers import Peer

_MAX_QUIET: Final = 256  # connections; they take little memory and little time of the garbage collector
_COLLECT_DELAY: Final = 1.0  # seconds that the tasks of the closed connections have to end

_logger = logging.getLogger(__name__)


class Refused(Exception):
    """The connection must be closed. The message says why."""


class NoRoom(Refused):
    """The host holds as many bytes for the connections of the listener as it may."""


@attrs.define(eq=False)
class Totals:
    """Counts the connections of all listeners of a daemon: those that are open, and those that have ended.

    Memory is given back when many connections have ended and few are open. While many are open, the garbage collector
    would take too long, and it is not needed: connections that end leave no cycles behind. 10,000 of them were tried.
    """

    open: int = 0
    _ended: int = 0
    _few_are_left: AsyncBool = attrs.field(factory=AsyncBool, init=False)

    def count_end(self) -> None:
        self.open -= 1
        self._ended += 1
        if self._ended >= _MAX_QUIET and self.open <= _MAX_QUIET:
            self._few_are_left.value = True

    async def give_memory_back(self) -> None:
        """Give memory back whenever many connections have ended, until cancelled."""
        while True:
            await self._few_are_left.wait_value(True)  # noqa: FBT003 - its only parameter
            await trio.sleep(_COLLECT_DELAY)
            self._few_are_left.value = False
            if self.open <= _MAX_QUIET:
                self._ended = 0
                memory.give_back()


@attrs.define(eq=False)
class Connections:
    """The connections of one listener: at most `most`, for which the host holds at most `most_held` bytes.

    Each connection may hold MAX_SMALL_MESSAGE bytes, whatever the others hold. `name` is the listener in the log,
    `totals` are those of the daemon. State: how many are open, the bytes that are held, and whose turn it is.
    """

    name: str
    accepts: Callable[[Peer], bool]
    most_held: int
    most: int = MAX_CONNECTIONS
    totals: Totals = attrs.field(factory=Totals)
    open: int = attrs.field(default=0, init=False)
    held: int = attrs.field(default=0, init=False)
    turns: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        if self.most < MAX_CONNECTIONS:
            _logger.warning(
                "%s: at most %d connections, because the hard limit on open files is low", self.name, self.most
            )

    @contextmanager
    def admit(self, connection: trio.socket.SocketType) -> Iterator["Connection"]:
        """Admit a connection until the end of the block. Raises Refused."""
        peer = peers.of(connection)
        if self.open >= self.most:
            raise Refused(f"there are {self.most} connections already")
        if not self.accepts(peer):
            raise Refused(f"uid {peer.uid} (process {peer.pid}) may not connect")
        self.open += 1
        self.totals.open += 1
        admitted = Connection(self, connection.fileno(), peer)
        try:
            yield admitted
        finally:
            admitted.hold(0)
            self.open -= 1
            self.totals.count_end()


@attrs.define(eq=False)
class Connection:
    """One admitted connection. State: how many bytes of its messages are held, unread or being answered."""

    _all: Connections
    _descriptor: int
    peer: Peer
    held: int = attrs.field(default=0, init=False)

    def read(self, most: int) -> bytes | None:
        """Read at most `most` bytes without waiting, and hold them. Returns b"" at the end, None where none have come.

        Raises NoRoom and OSError. There is no checkpoint between the check of the bound and the reading, so many
        connections that become readable at once cannot exceed the bound either.
        """
        free = max(self._all.most_held - self._all.held, MAX_SMALL_MESSAGE - self.held)
        if free <= 0:
            raise self._no_room()
        try:
            data = os.read(self._descriptor, min(most, free))
        except BlockingIOError:
            return None
        self.hold(self.held + len(data))
        return data

    async def receive(self, most: int, *, deadline: float = math.inf) -> bytes:
        """Wait until bytes have come, and then do what `read` does. Raises Refused at the deadline."""
        if deadline == math.inf:  # the usual case; a cancel scope costs as much as the reading
            return await self._wait_and_read(most)
        with trio.CancelScope(deadline=deadline):
            return await self._wait_and_read(most)
        raise Refused("it began a message and did not finish it in time")

    async def _wait_and_read(self, most: int) -> bytes:
        data = None
        while data is None:
            await trio.lowlevel.wait_readable(self._descriptor)
            data = self.read(most)
        return data

    async def turn(self) -> None:
        """Wait until a large message of this connection may be read: one is read in each pass of the event loop.

        Reading one takes some milliseconds, and a box can finish one on each of its connections in the same moment.
        """
        async with self._all.turns:
            await trio.lowlevel.checkpoint()

    def hold(self, size: int) -> None:
        """Note that the messages of this connection now take `size` bytes."""
        self._all.held += size - self.held
        self.held = size

    def check(self) -> None:
        """Raise NoRoom where this connection holds more than a small message and all of them hold too much."""
        if self.held > MAX_SMALL_MESSAGE and self._all.held > self._all.most_held:
            raise self._no_room()

    def _no_room(self) -> NoRoom:
        return NoRoom(f"all connections together hold {self._all.held:,} bytes, and this one asked for more")
