"""The capability server: the box's host socket. It grants a connection what its hello asks and the settings allow.

`/litterbox wait` keeps a connection here that asks for nothing, to see the daemon end.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import attrs
import trio

from litterbox import __version__
from litterbox.capabilities import replies
from litterbox.capabilities.client import Client
from litterbox.capabilities.requests import Requests
from litterbox.confirm.escaping import escape_untrusted
from litterbox.connections import Connection, Connections, Refused, Totals
from litterbox.hangup import open_hangups
from litterbox.limits import MAX_CONNECTIONS, MAX_HELD_BY_CAPABILITIES, MAX_SMALL_MESSAGE, MESSAGE_TIMEOUT
from litterbox.peers import Peer, may_use_the_box
from litterbox_guest import messages, wire

HELLO_TIMEOUT: Final = 10.0  # seconds a connection has to say hello
MAX_MALFORMED: Final = 5  # the fifth malformed frame closes the connection
MAX_CAPABILITIES: Final = 64  # in a hello
MAX_UNREAD: Final = 2 * wire.MAX_FRAME  # bytes that are read ahead; then the connection waits, its end too

_READ_SIZE: Final = messages.CHUNK + 1024  # a piece of a stream with what is around it
_LAST_MESSAGE_TIMEOUT: Final = 1.0  # seconds that a client has to take the last message of its connection

_logger = logging.getLogger(__name__)


@attrs.frozen
class GuestDaemons:
    """The connections that keep links in the box: in good order one, or none while the guest daemon is idle."""

    conversations: "set[_Conversation]" = attrs.field(factory=set, init=False)

    async def shut_down(self) -> None:
        """Tell them to leave: another is about to take their place."""
        async with trio.open_nursery() as nursery:
            for conversation in tuple(self.conversations):
                nursery.start_soon(conversation.shut_down)


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
    """Serve the box, its user and its root and nobody else, at most `most` connections, until cancelled."""
    connections = Connections("the host socket", accepts, MAX_HELD_BY_CAPABILITIES, most, totals or Totals())

    async def handle(stream: trio.SocketStream) -> None:
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, wire.CHUNK)
        try:
            # Where nothing more is read ahead, the hang-up still tells of the client's end.
            with connections.admit(stream.socket) as connection, hangups.cancelling(stream.socket):
                await converse(stream, requests, guest_daemons, connection)
        except* (trio.BrokenResourceError, ConnectionError):
            _logger.debug("a connection of the box broke")
        except* (wire.FrameTooLarge, Refused) as errors:
            _logger.warning("a connection of the box was closed: %s", errors.exceptions[0])
        except* Exception:
            _logger.exception("a connection of the box was closed: a fault of Litterbox")

    async with open_hangups() as hangups:
        await trio.serve_listeners(handle, [listener], task_status=task_status)


async def converse(
    stream: trio.SocketStream, requests: Requests, guest_daemons: GuestDaemons, connection: Connection
) -> None:
    """One connection, from its hello to its end. Raises wire.FrameTooLarge, Refused and ConnectionError, in groups."""
    conversation = _Conversation(stream, requests, guest_daemons, connection)
    try:
        await conversation.run()
    finally:
        guest_daemons.conversations.discard(conversation)


@attrs.define(eq=False)
class _Conversation:
    """One connection. A task of its own reads ahead, so that the client's end is seen while a request is under way."""

    stream: trio.SocketStream
    requests: Requests
    guest_daemons: GuestDaemons
    connection: Connection
    frames: wire.FrameReader = attrs.field(factory=wire.FrameReader)
    accepted: frozenset[str] | None = None  # until its hello
    features: frozenset[str] = frozenset()
    malformed: int = 0
    under_way: int = 0  # bytes of the frame that is being answered
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)  # of all that the connection does
    reading: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    sending: trio.Lock = attrs.field(factory=trio.Lock)
    changed: trio.Event = attrs.field(factory=trio.Event)  # bytes came, or were read as a frame

    async def run(self) -> None:
        with trio.CancelScope(deadline=trio.current_time() + HELLO_TIMEOUT) as deadline:
            async with trio.open_nursery() as nursery:
                self.scope = nursery.cancel_scope
                nursery.start_soon(self._read_ahead)
                while True:
                    with suppress(wire.MalformedFrame):
                        await self._answer(await self._next_frame(in_turn=True))
                    if self.accepted is not None:
                        deadline.deadline = float("inf")

    async def _read_ahead(self) -> None:
        """Collect what the client sends, as far as there is room; its end withdraws what it asked for.

        Raises Refused and ConnectionError.
        """
        with self.reading:
            while data := await self._next_bytes():
                self.frames.receive_data(data)
                del data  # while more is waited for, only `frames` has it
                self._tell_change()
                while self.frames.unread > MAX_UNREAD:
                    await self.changed.wait()
            self.scope.cancel()
        if self.reading.cancelled_caught:
            raise Refused("it began a frame and did not finish it in time")

    async def _next_bytes(self) -> bytes:
        """The next bytes, b"" at the end. Of a stream, more is often there: sleeping first would halve its speed."""
        data = self.connection.read(_READ_SIZE)
        if data is None:
            return await self.connection.receive(_READ_SIZE)
        await trio.lowlevel.checkpoint()
        return data

    async def _next_frame(self, *, in_turn: bool = False) -> dict[str, object]:
        """The next frame. The pieces of a stream are not waited for `in_turn`: there may be many, and few streams.

        Raises wire.MalformedFrame, which has been answered, and wire.FrameTooLarge.
        """
        self.under_way = 0
        while True:
            if in_turn and self.frames.unread > MAX_SMALL_MESSAGE:
                await self.connection.turn()
            before = self.frames.unread
            try:
                frame = self.frames.next_frame()
            except wire.MalformedFrame as error:
                self._tell_change()
                await self._answer_nonsense(str(error))
                raise
            except wire.FrameTooLarge as error:
                await self._tell_excess(str(error))
                raise
            if frame is not None:
                self.under_way = before - self.frames.unread
                self.reading.deadline = float("inf")
                self._tell_change()
                return frame
            self._tell_change()
            await self.changed.wait()

    def _tell_change(self) -> None:
        """Bytes came, or became a frame: half a frame that nobody finishes is not held for ever."""
        self.connection.hold(self.frames.unread + self.under_way)
        if not self.frames.is_partial:
            self.reading.deadline = float("inf")
        elif self.reading.deadline == float("inf"):
            self.reading.deadline = trio.current_time() + MESSAGE_TIMEOUT
        self.changed.set()
        self.changed = trio.Event()

    async def _answer_nonsense(self, reason: str) -> None:
        self.malformed += 1
        await self._send(wire.encode(replies.error(reason)))
        if self.malformed >= MAX_MALFORMED:
            self.scope.cancel()

    async def _tell_excess(self, reason: str) -> None:
        """Say why the connection is closed now, to whoever takes it at once."""
        self.requests.policy.refuse("connection", {"peer": self.connection.peer.pid}, reason)
        with trio.move_on_after(_LAST_MESSAGE_TIMEOUT):
            await self._send(wire.encode(replies.error(reason)))

    async def _answer(self, frame: dict[str, object]) -> None:
        try:
            message = messages.from_guest(frame)
        except messages.BadMessage as error:
            await self._send(wire.encode(replies.error(str(error))))
            return
        del frame  # fields that nobody knows may take far more memory than the message
        if isinstance(message, messages.Hello):
            await self._greet(message)
        elif self.accepted is None:
            await self._send(wire.encode(replies.error("say hello first")))
        else:
            client = Client(
                peer=self.connection.peer.pid, features=self.features, send=self._send, receive=self._receive
            )
            await self.requests.answer(message, self.accepted, client)

    async def _receive(self) -> messages.GuestMessage:
        """The next message, for the request that is under way. Raises messages.BadMessage, which has been answered."""
        try:
            return messages.from_guest(await self._next_frame())
        except wire.MalformedFrame as error:
            raise messages.BadMessage(str(error)) from error
        except messages.BadMessage as error:
            await self._send(wire.encode(replies.error(str(error))))
            raise

    async def _greet(self, hello: messages.Hello) -> None:
        """Grant what the settings grant now. A second hello changes nothing that the first was granted."""
        if len(hello.capabilities) > MAX_CAPABILITIES or len(hello.features or []) > MAX_CAPABILITIES:
            await self._send(wire.encode(replies.error(f"a hello names at most {MAX_CAPABILITIES} of each")))
            return
        grants = self.requests.policy.grants()
        accepted = [name for name in hello.capabilities if grants.get(name)]
        if self.accepted is None:
            self.accepted = frozenset(accepted)
        accepted = [name for name in accepted if name in self.accepted]
        rejected = [name for name in hello.capabilities if name not in accepted]
        features = links = None
        if hello.features is not None:
            features = [name for name in messages.FEATURES if name in hello.features]
            self.features = frozenset(features)
        if messages.LINKS in self.features:
            links = self._keep_links(hello, accepted)
        answer = replies.hello_ack(accepted=accepted, rejected=rejected, features=features, links=links)
        await self._send(wire.encode(answer))

    def _keep_links(self, hello: messages.Hello, accepted: list[str]) -> list[str]:
        """From now on the client keeps the links in the box; returns the names of its links to host commands."""
        self.guest_daemons.conversations.add(self)
        if hello.version != __version__:
            _logger.warning(
                "the box runs Litterbox %s, the host %s, until the box is stopped",
                escape_untrusted(hello.version),
                __version__,
            )
        return self.requests.policy.links() if "host_exec" in accepted else []

    async def shut_down(self) -> None:
        """Never for longer than a moment, whatever the box does; a connection that hangs is its own matter."""
        with trio.move_on_after(_LAST_MESSAGE_TIMEOUT), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._send(wire.encode(replies.shutdown()))

    async def _send(self, frame: bytes) -> None:
        async with self.sending:
            await self.stream.send_all(frame)
