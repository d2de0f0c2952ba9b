"""The capability server: the box's host socket. It grants a connection what its hello asks and the settings allow.

No capability is built yet, so every one is rejected; `/litterbox wait` keeps a connection here to see the daemon end.
"""

import logging

import trio

from litterbox import peers
from litterbox_guest import messages, wire

HELLO_WITHIN = 10.0  # seconds a connection has to say hello
MAX_CONNECTIONS = 4096
MAX_MALFORMED = 5  # the fifth malformed frame closes the connection

_READ_SIZE = 65536

_logger = logging.getLogger(__name__)


async def serve_capabilities(
    listener: trio.SocketListener,
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
            await converse(stream)
        except trio.BrokenResourceError:
            _logger.debug("a connection of the box broke")
        except (wire.FrameTooLarge, wire.Truncated) as error:
            _logger.warning("a connection of the box was closed: %s", error)
        except Exception:
            _logger.exception("a connection of the box was closed: a fault of Litterbox")
        finally:
            open_connections -= 1

    await trio.serve_listeners(handle, [listener], task_status=task_status)


async def converse(stream: trio.abc.Stream) -> None:
    """One connection, from its hello to its end. Raises wire.FrameTooLarge and wire.Truncated."""
    frames = wire.FrameReader()
    greeted = False
    malformed = 0
    deadline = trio.CancelScope(deadline=trio.current_time() + HELLO_WITHIN)
    with deadline:
        while malformed < MAX_MALFORMED:
            try:
                frame = frames.next_frame()
            except wire.MalformedFrame as error:
                malformed += 1
                await stream.send_all(wire.encode(messages.error(str(error))))
                continue
            if frame is None:
                data = await stream.receive_some(_READ_SIZE)
                frames.receive_data(bytes(data))
                if not data:
                    return
                continue
            answer, greeted = _answer(frame, greeted=greeted)
            await stream.send_all(wire.encode(answer))
            if greeted:
                deadline.deadline = float("inf")


def _answer(frame: dict[str, object], *, greeted: bool) -> tuple[dict[str, object], bool]:
    try:
        message = messages.from_guest(frame)
    except (messages.UnknownMessage, messages.InvalidMessage) as error:
        return messages.error(str(error)), greeted
    if isinstance(message, messages.Hello):
        return messages.hello_ack(accepted=[], rejected=message.capabilities), True
    if not greeted:
        return messages.error("say hello first"), False
    return messages.ack(), True
