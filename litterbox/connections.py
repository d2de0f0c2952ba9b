"""Admission to a listener that a box reaches: who may connect, how many at once, and how many bytes of theirs are held.

Both listeners of a box use this, so that a box meets its bounds in one place. A connection that asks for more than
there is loses; the other connections keep what they have.
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

_FEW: Final = 256  # connections; so many take little memory, and little of the garbage collector's time
_DELAY: Final = 1.0  # seconds for the tasks of connections to end, each of which takes some turns

_logger = logging.getLogger(__name__)


class Refused(Exception):
    """The connection is closed, for the reason that this says."""


class NoRoom(Refused):
    """The connections of the listener hold as many bytes as they may together."""


@attrs.define(eq=False)
class Totals:
    """The connections of all listeners of a daemon: how many are open, and how many ended since memory was given back.

    Memory is given back when many have ended and few are open. While many are open, that would take too long, and the
    connections that end meanwhile leave nothing behind that needs the garbage collector: 10,000 of them were tried.
    """

    open: int = 0
    _ended: int = 0
    _few_are_left: AsyncBool = attrs.field(factory=AsyncBool, init=False)

    def count_end(self) -> None:
        self.open -= 1
        self._ended += 1
        if self._ended >= _FEW and self.open <= _FEW:
            self._few_are_left.value = True

    async def give_memory_back(self) -> None:
        """Do that after each flood, until cancelled."""
        while True:
            await self._few_are_left.wait_value(True)  # noqa: FBT003 - its only parameter
            await trio.sleep(_DELAY)
            self._few_are_left.value = False
            if self.open <= _FEW:
                self._ended = 0
                memory.give_back()


@attrs.define(eq=False)
class Connections:
    """The connections of one listener, `name` in the log: at most `most`, which hold `most_held` bytes together.

    Each connection may hold MAX_SMALL_MESSAGE bytes whatever the others hold. `totals` are those of the daemon. State:
    how many are open, the bytes that are held, and whose turn it is.
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
        """Admit a connection for the length of the block. Raises Refused."""
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
    """One admitted connection. State: how many bytes of its messages are held, unread or under way."""

    _all: Connections
    _descriptor: int
    peer: Peer
    held: int = attrs.field(default=0, init=False)

    def read(self, most: int) -> bytes | None:
        """Read at most `most` bytes that have come, and hold them; b"" at the end, None where nothing has come.

        Raises NoRoom and OSError. There is no checkpoint between the look at the bound and the reading, so that many
        connections which become readable at once stay within it too.
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
        """As `read`, but wait until something has come. Raises Refused at the deadline."""
        if deadline == math.inf:  # mostly, and a cancel scope costs as much as the reading
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
        """Wait until a large message may be looked at: there is one at each turn of the event loop.

        Each takes some milliseconds, and a box can have those of all its connections end in the same moment.
        """
        async with self._all.turns:
            await trio.lowlevel.checkpoint()

    def hold(self, size: int) -> None:
        """From now on its messages take `size` bytes."""
        self._all.held += size - self.held
        self.held = size

    def check(self) -> None:
        """Raise NoRoom where it holds more than a small message, and all together hold too much."""
        if self.held > MAX_SMALL_MESSAGE and self._all.held > self._all.most_held:
            raise self._no_room()

    def _no_room(self) -> NoRoom:
        return NoRoom(f"all connections together hold {self._all.held:,} bytes, and this one asked for more")
