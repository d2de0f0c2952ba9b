"""The capability server: the box's host socket. It grants a connection what its hello asks and the settings allow.

`/litterbox wait` keeps a connection here that asks for nothing, to see the daemon end.
"""

import logging
from typing import Final

import attrs
import trio

from litterbox import peers
from litterbox.capabilities.requests import Requests
from litterbox_guest import messages, wire

HELLO_WITHIN: Final = 10.0  # seconds a connection has to say hello
MAX_CONNECTIONS: Final = 4096
MAX_MALFORMED: Final = 5  # the fifth malformed frame closes the connection
MOST_UNREAD: Final = 2 * wire.MAX_FRAME  # bytes that a connection may send while its request is under way

_READ_SIZE: Final = 65536

_logger = logging.getLogger(__name__)


async def serve_capabilities(
    listener: trio.SocketListener,
    requests: Requests,
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
            await converse(stream, requests, peer=peer.pid)
        except* trio.BrokenResourceError:
            _logger.debug("a connection of the box broke")
        except* (wire.FrameTooLarge, wire.Truncated) as errors:
            _logger.warning("a connection of the box was closed: %s", errors.exceptions[0])
        except* Exception:
            _logger.exception("a connection of the box was closed: a fault of Litterbox")
        finally:
            open_connections -= 1

    await trio.serve_listeners(handle, [listener], task_status=task_status)


async def converse(stream: trio.abc.Stream, requests: Requests, *, peer: int) -> None:
    """One connection, from its hello to its end. Raises wire.FrameTooLarge and wire.Truncated."""
    await _Conversation(stream, requests, peer).run()


@attrs.define
class _Conversation:
    """One connection; `accepted` is None until its hello."""

    stream: trio.abc.Stream
    requests: Requests
    peer: int
    frames: wire.FrameReader = attrs.field(factory=wire.FrameReader)
    accepted: frozenset[str] | None = None

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
        await self._send(messages.hello_ack(accepted=accepted, rejected=rejected))

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
        await self.stream.send_all(wire.encode(message))
