"""The capability server: serves the box's host socket. This module has its sockets, tasks, deadlines and turns.

What a client may say, and what it is granted, is in `connection`; how requests are answered, in `requests`.
`/litterbox wait` keeps a connection here that asks for nothing. By its end it learns that the daemon has ended.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import attrs
import trio

from litterbox import __version__
from litterbox.capabilities.client import Client
from litterbox.capabilities.connection import NEED_DATA, BoxConnection, Rejected
from litterbox.capabilities.replies import Error, Reply
from litterbox.capabilities.requests import Requests
from litterbox.confirm.escaping import escape_untrusted
from litterbox.connections import Connection, Connections, Refused, Totals
from litterbox.hangup import open_hangups
from litterbox.limits import MAX_CONNECTIONS, MAX_HELD_BY_CAPABILITIES, MAX_SMALL_MESSAGE, MESSAGE_TIMEOUT
from litterbox.peers import Peer, may_use_the_box
from litterbox_guest import wire
from litterbox_guest.messages import LINKS, BadMessage, GuestMessage, Hello, Shutdown

HELLO_TIMEOUT: Final = 10.0  # seconds a connection has to say hello
MAX_UNREAD: Final = 2 * wire.MAX_FRAME  # bytes; where more is unread, nothing is read, not even the client's end

_READ_SIZE: Final = wire.CHUNK + 1024  # a piece of a stream with what is around it
_LAST_MESSAGE_TIMEOUT: Final = 1.0  # seconds that a client has to take the last message of its connection

_logger = logging.getLogger(__name__)


@attrs.frozen
class GuestDaemons:
    """The connections of guest daemons: usually one, or none while the guest daemon is idle."""

    connections: "set[_ServedConnection]" = attrs.field(factory=set, init=False)

    async def shut_down(self) -> None:
        """Tell them to end, because another guest daemon is about to start."""
        async with trio.open_nursery() as nursery:
            for connection in tuple(self.connections):
                nursery.start_soon(connection.shut_down)


async def serve_capabilities(
    listener: trio.SocketListener,
    requests: Requests,
    guest_daemons: GuestDaemons,
    *,
    accepts: Callable[[Peer], bool] = may_use_the_box,
    most: int = MAX_CONNECTIONS,
    totals: Totals | None = None,
    task_status: trio.TaskStatus[list[trio.SocketListener]],
) -> None:
    """Serve clients that `accepts` admits, at most `most` of them at once, until cancelled.

    By default these are processes of the box's user and of the box's root.
    """
    connections = Connections("the host socket", accepts, MAX_HELD_BY_CAPABILITIES, most, totals or Totals())

    async def handle(stream: trio.SocketStream) -> None:
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, wire.CHUNK)
        try:
            # While nothing more is read ahead, only the hang-up shows that the client has gone.
            with connections.admit(stream.socket) as connection, hangups.cancelling(stream.socket):
                await serve_connection(stream, requests, guest_daemons, connection)
        except* (trio.BrokenResourceError, ConnectionError):
            _logger.debug("a connection of the box broke")
        except* (wire.FrameTooLarge, Refused) as errors:
            _logger.warning("a connection of the box was closed: %s", errors.exceptions[0])
        except* Exception:
            _logger.exception("a connection of the box was closed: a fault of Litterbox")

    async with open_hangups() as hangups:
        await trio.serve_listeners(handle, [listener], task_status=task_status)


async def serve_connection(
    stream: trio.SocketStream, requests: Requests, guest_daemons: GuestDaemons, connection: Connection
) -> None:
    """Serve one connection, from its hello to its end. The stream stays open.

    Raises wire.FrameTooLarge, Refused and ConnectionError, each in an exception group.
    """
    served = _ServedConnection(stream, requests, guest_daemons, connection)
    try:
        await served.run()
    finally:
        guest_daemons.connections.discard(served)


@attrs.define(eq=False)
class _ServedConnection:
    """One connection. A task of its own reads ahead, so that the client's end is seen during a request."""

    stream: trio.SocketStream
    requests: Requests
    guest_daemons: GuestDaemons
    admission: Connection
    box: BoxConnection = attrs.field(factory=BoxConnection)
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)  # of all that the connection does
    reading: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    sending: trio.Lock = attrs.field(factory=trio.Lock)
    # Bytes came, or became an event. It is set and replaced, since trio_util.RepeatedEvent takes six times the memory,
    # and a box can have 4,096 connections.
    changed: trio.Event = attrs.field(factory=trio.Event)

    async def run(self) -> None:
        with trio.CancelScope(deadline=trio.current_time() + HELLO_TIMEOUT) as deadline:
            async with trio.open_nursery() as nursery:
                self.scope = nursery.cancel_scope
                nursery.start_soon(self._read_ahead)
                while True:
                    await self._answer(await self._next_event(in_turn=True))
                    if self.box.accepted is not None:
                        deadline.deadline = float("inf")

    async def _read_ahead(self) -> None:
        """Read what the client sends, as far as there is room. When the client hangs up, its request is withdrawn.

        Raises Refused and ConnectionError.
        """
        with self.reading:
            while data := await self._next_bytes():
                self.box.receive_data(data)
                del data  # while we wait for more, only `box` keeps it
                self._tell_change()
                while self.box.unread > MAX_UNREAD:
                    await self.changed.wait()
            self.scope.cancel()
        if self.reading.cancelled_caught:
            raise Refused("it began a frame and did not finish it in time")

    async def _next_bytes(self) -> bytes:
        """Return the next bytes, b"" at the end. They have often come already: sleeping first would halve the speed."""
        data = self.admission.read(_READ_SIZE)
        if data is None:
            return await self.admission.receive(_READ_SIZE)
        await trio.lowlevel.checkpoint()
        return data

    async def _next_event(self, *, in_turn: bool = False) -> GuestMessage | Rejected:
        """Wait for the next event of the client. Raises wire.FrameTooLarge.

        The pieces of a stream do not wait for their turn (`in_turn`): there may be many pieces, and few streams.
        """
        while True:
            if in_turn and self.box.unread > MAX_SMALL_MESSAGE:
                await self.admission.turn()
            try:
                event = self.box.next_event()
            except wire.FrameTooLarge as error:
                await self._tell_excess(str(error))
                raise
            if event is not NEED_DATA:
                self.reading.deadline = float("inf")  # of the frame that is finished now
                self._tell_change()
                return event
            self._tell_change()
            await self.changed.wait()

    def _tell_change(self) -> None:
        """Account for bytes that came or became an event. A frame that is begun gets a deadline to be finished."""
        self.admission.hold(self.box.held)
        if not self.box.is_partial:
            self.reading.deadline = float("inf")
        elif self.reading.deadline == float("inf"):
            self.reading.deadline = trio.current_time() + MESSAGE_TIMEOUT
        self.changed.set()
        self.changed = trio.Event()

    async def _answer(self, event: GuestMessage | Rejected) -> None:
        match event:
            case Rejected():
                await self._reject(event)
            case Hello():
                await self._greet(event)
            case message:
                accepted = self.box.accepted
                assert accepted is not None  # `box` rejects everything before the hello
                client = Client(
                    peer=self.admission.peer.pid, features=self.box.features, send=self._send, receive=self._receive
                )
                await self.requests.answer(message, accepted, client)

    async def _receive(self) -> GuestMessage:
        """Wait for the next message, for a request. Raises BadMessage where it is invalid; the client was told."""
        event = await self._next_event()
        if isinstance(event, Rejected):
            await self._reject(event)
            raise BadMessage(event.reply.reason)
        return event

    async def _reject(self, rejected: Rejected) -> None:
        await self._send(rejected.reply)
        if rejected.closes:
            self.scope.cancel()

    async def _tell_excess(self, reason: str) -> None:
        """Say why the connection is closed now, if the client reads it at once."""
        self.requests.policy.refuse("connection", {"peer": self.admission.peer.pid}, reason)
        with trio.move_on_after(_LAST_MESSAGE_TIMEOUT):
            await self._send(Error(reason=reason))

    async def _greet(self, hello: Hello) -> None:
        """Grant what the settings allow now, and remember who keeps the links in the box."""
        policy = self.requests.policy
        granted = [name for name, grant in policy.grants().items() if grant]
        links = policy.links() if LINKS in (hello.features or []) else []
        answer = self.box.greet(hello, granted, links)
        if self.box.keeps_links:
            self.guest_daemons.connections.add(self)
            if hello.version != __version__:
                _logger.warning(
                    "the box runs Litterbox %s, the host %s, until the box is stopped",
                    escape_untrusted(hello.version),
                    __version__,
                )
        await self._send(answer)

    async def shut_down(self) -> None:
        """Tell a guest daemon to end. Waits for a moment at most, and does not mind a connection that hangs."""
        with trio.move_on_after(_LAST_MESSAGE_TIMEOUT), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._send(Shutdown())

    async def _send(self, reply: Reply) -> None:
        async with self.sending:
            await self.stream.send_all(self.box.send(reply))
