"""The capability server: the box's host socket. It grants a connection what its hello asks and the settings allow.

`/litterbox wait` keeps a connection here that asks for nothing, to see the daemon end.
"""

import logging
from contextlib import suppress
from typing import Final

import attrs
import trio

from litterbox import __version__, peers
from litterbox.capabilities.requests import Requests
from litterbox.confirm.visible import visible
from litterbox_guest import messages, wire

HELLO_WITHIN: Final = 10.0  # seconds a connection has to say hello
MAX_CONNECTIONS: Final = 4096
MAX_MALFORMED: Final = 5  # the fifth malformed frame closes the connection
MOST_UNREAD: Final = 2 * wire.MAX_FRAME  # bytes that a connection may send while its request is under way

_READ_SIZE: Final = 65536
_SHUTDOWN_WITHIN: Final = 1.0  # seconds that a guest daemon has to take the message

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

    async def handle(stream: trio.SocketStream) -> None:
        nonlocal open_connections
        peer = peers.of(stream.socket)
        if open_connections >= MAX_CONNECTIONS or not peers.may_use_the_box(peer):
            _logger.warning("a connection of uid %d (process %d) was refused", peer.uid, peer.pid)
            return
        open_connections += 1
        try:
            await converse(stream, requests, guest_daemons, peer=peer.pid)
        except* trio.BrokenResourceError:
            _logger.debug("a connection of the box broke")
        except* (wire.FrameTooLarge, wire.Truncated) as errors:
            _logger.warning("a connection of the box was closed: %s", errors.exceptions[0])
        except* Exception:
            _logger.exception("a connection of the box was closed: a fault of Litterbox")
        finally:
            open_connections -= 1

    await trio.serve_listeners(handle, [listener], task_status=task_status)


async def converse(stream: trio.abc.Stream, requests: Requests, guest_daemons: GuestDaemons, *, peer: int) -> None:
    """One connection, from its hello to its end. Raises wire.FrameTooLarge and wire.Truncated."""
    conversation = _Conversation(stream, requests, guest_daemons, peer)
    try:
        await conversation.run()
    finally:
        guest_daemons.conversations.discard(conversation)


@attrs.define(eq=False)
class _Conversation:
    """One connection; `accepted` is None until its hello."""

    stream: trio.abc.Stream
    requests: Requests
    guest_daemons: GuestDaemons
    peer: int
    frames: wire.FrameReader = attrs.field(factory=wire.FrameReader)
    accepted: frozenset[str] | None = None
    sending: trio.Lock = attrs.field(factory=trio.Lock)

    async def run(self) -> None:
        malformed = 0
        with trio.CancelScope(deadline=trio.current_time() + HELLO_WITHIN) as deadline:
            while malformed < MAX_MALFORMED:
                try:
                    frame = self.frames.next_frame()
                except wire.MalformedFrame as error:
                    malformed += 1
                    await self._send(messages.error(str(error)))
                    continue
                if frame is None:
                    data = await self.stream.receive_some(_READ_SIZE)
                    self.frames.receive_data(bytes(data))
                    if not data:
                        return
                    continue
                await self._answer(frame)
                if self.accepted is not None:
                    deadline.deadline = float("inf")

    async def _answer(self, frame: dict[str, object]) -> None:
        try:
            message = messages.from_guest(frame)
        except (messages.UnknownMessage, messages.InvalidMessage) as error:
            await self._send(messages.error(str(error)))
            return
        if isinstance(message, messages.Hello):
            await self._greet(message)
        elif self.accepted is None:
            await self._send(messages.error("say hello first"))
        else:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read_ahead, nursery.cancel_scope)
                await self.requests.answer(message, self.accepted, peer=self.peer, send=self._send)
                nursery.cancel_scope.cancel()

    async def _greet(self, hello: messages.Hello) -> None:
        """Grant what the settings grant now. A second hello changes nothing that the first was granted."""
        grants = self.requests.policy.grants()
        accepted = [name for name in hello.capabilities if grants.get(name)]
        if self.accepted is None:
            self.accepted = frozenset(accepted)
        accepted = [name for name in accepted if name in self.accepted]
        rejected = [name for name in hello.capabilities if name not in accepted]
        features = None
        if hello.features is not None:
            features = [name for name in messages.FEATURES if name in hello.features]
        if features and messages.LINKS in features:
            self._keeps_links(hello)
        await self._send(messages.hello_ack(accepted=accepted, rejected=rejected, features=features))

    def _keeps_links(self, hello: messages.Hello) -> None:
        self.guest_daemons.conversations.add(self)
        if hello.version != __version__:
            _logger.warning(
                "the box runs Litterbox %s, the host %s, until the box is stopped", visible(hello.version), __version__
            )

    async def shut_down(self) -> None:
        """Never for longer than _SHUTDOWN_WITHIN, whatever the box does; a connection that hangs is its own matter."""
        with trio.move_on_after(_SHUTDOWN_WITHIN), suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self._send(messages.shutdown())

    async def _read_ahead(self, scope: trio.CancelScope) -> None:
        """Notice the client's end while its request is under way, and withdraw it; keep what else it sends."""
        unread = 0
        while unread < MOST_UNREAD:
            data = await self.stream.receive_some(_READ_SIZE)
            if not data:
                scope.cancel()
                return
            unread += len(data)
            self.frames.receive_data(bytes(data))

    async def _send(self, message: dict[str, object]) -> None:
        async with self.sending:
            await self.stream.send_all(wire.encode(message))
