"""The capability server: the box's host socket. It grants a connection what its hello asks and the settings allow.

`/litterbox wait` keeps a connection here that asks for nothing, to see the daemon end.
"""

import logging
from contextlib import suppress
from typing import Final

import attrs
import trio

from litterbox import __version__, peers
from litterbox.capabilities import answers
from litterbox.capabilities.client import Client
from litterbox.capabilities.requests import Requests
from litterbox.confirm.visible import visible
from litterbox.hangup import open_hangups
from litterbox_guest import messages, wire

HELLO_WITHIN: Final = 10.0  # seconds a connection has to say hello
MAX_CONNECTIONS: Final = 4096
MAX_MALFORMED: Final = 5  # the fifth malformed frame closes the connection
MOST_UNREAD_OF_ALL: Final = 64 * wire.MAX_FRAME  # of all connections together; then those with much are closed
ALWAYS_ROOM: Final = 16 * 1024  # bytes that a connection may have whatever others do
MOST_CAPABILITIES: Final = 64  # in a hello
MOST_UNREAD: Final = 2 * wire.MAX_FRAME  # bytes that are read ahead; then the connection waits, its end too

_READ_SIZE: Final = messages.CHUNK + 1024  # a piece of a stream with what is around it
_LAST_WORDS_WITHIN: Final = 1.0  # seconds that a client has to take the last message of its connection

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
    task_status: trio.TaskStatus[list[trio.SocketListener]],
) -> None:
    """Serve the box, its user and its root and nobody else, until cancelled."""
    open_connections = 0
    room = Room()

    async def handle(stream: trio.SocketStream) -> None:
        nonlocal open_connections
        peer = peers.of(stream.socket)
        if open_connections >= MAX_CONNECTIONS or not peers.may_use_the_box(peer):
            _logger.warning("a connection of uid %d (process %d) was refused", peer.uid, peer.pid)
            return
        open_connections += 1
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, wire.CHUNK)
        try:
            # Where nothing more is read ahead, this still tells of the client's end.
            with hangups.cancelling(stream.socket):
                await converse(stream, requests, guest_daemons, room, peer=peer.pid)
        except* trio.BrokenResourceError:
            _logger.debug("a connection of the box broke")
        except* (wire.FrameTooLarge, NoRoom) as errors:
            _logger.warning("a connection of the box was closed: %s", errors.exceptions[0])
        except* Exception:
            _logger.exception("a connection of the box was closed: a fault of Litterbox")
        finally:
            open_connections -= 1

    async with open_hangups() as hangups:
        await trio.serve_listeners(handle, [listener], task_status=task_status)


class NoRoom(Exception):
    """The connections of the box hold more than may be read ahead for all of them."""


@attrs.define
class Room:
    """For what is read ahead of all connections together: a box can open many, and begin a frame on each."""

    taken: int = 0

    def take(self, size: int, *, for_one: int) -> None:
        """`size` more bytes, or less, are read ahead of a connection, which are then `for_one`. Raises NoRoom."""
        self.taken += size
        if for_one > ALWAYS_ROOM and self.taken > MOST_UNREAD_OF_ALL:
            raise NoRoom(f"{self.taken:,} bytes wait to be read on all connections")


async def converse(
    stream: trio.abc.Stream, requests: Requests, guest_daemons: GuestDaemons, room: Room, *, peer: int
) -> None:
    """One connection, from its hello to its end. Raises wire.FrameTooLarge and NoRoom, in groups."""
    conversation = _Conversation(stream, requests, guest_daemons, room, peer)
    try:
        await conversation.run()
    finally:
        room.take(-conversation.unread, for_one=0)
        guest_daemons.conversations.discard(conversation)


@attrs.define(eq=False)
class _Conversation:
    """One connection. A task of its own reads ahead, so that the client's end is seen while a request is under way."""

    stream: trio.abc.Stream
    requests: Requests
    guest_daemons: GuestDaemons
    room: Room
    peer: int
    frames: wire.FrameReader = attrs.field(factory=wire.FrameReader)
    accepted: frozenset[str] | None = None  # until its hello
    features: frozenset[str] = frozenset()
    malformed: int = 0
    unread: int = 0  # bytes, as `room` has them
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)  # of all that the connection does
    sending: trio.Lock = attrs.field(factory=trio.Lock)
    changed: trio.Event = attrs.field(factory=trio.Event)  # bytes came, or were read as a frame

    async def run(self) -> None:
        with trio.CancelScope(deadline=trio.current_time() + HELLO_WITHIN) as deadline:
            async with trio.open_nursery() as nursery:
                self.scope = nursery.cancel_scope
                nursery.start_soon(self._read_ahead)
                while True:
                    with suppress(wire.MalformedFrame):
                        await self._answer(await self._next_frame())
                    if self.accepted is not None:
                        deadline.deadline = float("inf")

    async def _read_ahead(self) -> None:
        """Collect what the client sends, as far as there is room; its end withdraws what it asked for."""
        while data := await self.stream.receive_some(_READ_SIZE):
            self.frames.receive_data(bytes(data))
            self._tell_change()
            while self.frames.unread > MOST_UNREAD:
                await self.changed.wait()
        self.scope.cancel()

    async def _next_frame(self) -> dict[str, object]:
        """Raises wire.MalformedFrame, which has been answered, and wire.FrameTooLarge."""
        while True:
            try:
                frame = self.frames.next_frame()
            except wire.MalformedFrame as error:
                await self._answer_nonsense(str(error))
                raise
            except wire.FrameTooLarge as error:
                await self._tell_excess(str(error))
                raise
            if frame is not None:
                self._tell_change()
                return frame
            await self.changed.wait()

    def _tell_change(self) -> None:
        """Raises NoRoom."""
        more, self.unread = self.frames.unread - self.unread, self.frames.unread
        self.room.take(more, for_one=self.unread)
        self.changed.set()
        self.changed = trio.Event()

    async def _answer_nonsense(self, reason: str) -> None:
        self.malformed += 1
        await self._send(wire.encode(answers.error(reason)))
        if self.malformed >= MAX_MALFORMED:
            self.scope.cancel()

    async def _tell_excess(self, reason: str) -> None:
        """Say why the connection is closed now, to whoever takes it at once."""
        self.requests.policy.refuse("connection", {"peer": self.peer}, reason)
        with trio.move_on_after(_LAST_WORDS_WITHIN):
            await self._send(wire.encode(answers.error(reason)))

    async def _answer(self, frame: dict[str, object]) -> None:
        try:
            message = messages.from_guest(frame)
        except messages.BadMessage as error:
            await self._send(wire.encode(answers.error(str(error))))
            return
        if isinstance(message, messages.Hello):
            await self._greet(message)
        elif self.accepted is None:
            await self._send(wire.encode(answers.error("say hello first")))
        else:
            client = Client(peer=self.peer, features=self.features, send=self._send, receive=self._receive)
            await self.requests.answer(message, self.accepted, client)

    async def _receive(self) -> messages.GuestMessage:
        """The next message, for the request that is under way. Raises messages.BadMessage, which has been answered."""
        try:
            return messages.from_guest(await self._next_frame())
        except wire.MalformedFrame as error:
            raise messages.BadMessage(str(error)) from error
        except messages.BadMessage as error:
            await self._send(wire.encode(answers.error(str(error))))
            raise

    async def _greet(self, hello: messages.Hello) -> None:
        """Grant what the settings grant now. A second hello changes nothing that the first was granted."""
        if len(hello.capabilities) > MOST_CAPABILITIES or len(hello.features or []) > MOST_CAPABILITIES:
            await self._send(wire.encode(answers.error(f"a hello names at most {MOST_CAPABILITIES} of each")))
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
        answer = answers.hello_ack(accepted=accepted, rejected=rejected, features=features, links=links)
        await self._send(wire.encode(answer))

    def _keep_links(self, hello: messages.Hello, accepted: list[str]) -> list[str]:
        """From now on the client keeps the links in the box; returns the names of its links to host commands."""
        self.guest_daemons.conversations.add(self)
        if hello.version != __version__:
            _logger.warning(
                "the box runs Litterbox %s, the host %s, until the box is stopped", visible(hello.version), __version__
            )
        return self.requests.policy.links() if "host_exec" in accepted else []

    async def shut_down(self) -> None:
        """Never for longer than a moment, whatever the box does; a connection that hangs is its own matter."""
        with trio.move_on_after(_LAST_WORDS_WITHIN), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._send(wire.encode(answers.shutdown()))

    async def _send(self, frame: bytes) -> None:
        async with self.sending:
            await self.stream.send_all(frame)
