"""The control listener: one message in, one message out. Its socket is never mounted into a box."""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping

import trio

from litterbox import peers
from litterbox.control import messages
from litterbox.control.messages import Message
from litterbox.errors import LitterboxError
from litterbox.limits import MAX_CONTROL_CONNECTIONS

Handler = Callable[[Message], Awaitable[Message]]

REQUEST_TIMEOUT = 30.0  # seconds that a client has to send its message, and to take its answer

_READ_SIZE = 65536

_logger = logging.getLogger(__name__)


async def serve_control(
    listener: trio.SocketListener,
    handlers: Mapping[str, Handler],
    *,
    task_status: trio.TaskStatus[list[trio.SocketListener]],
) -> None:
    """Answer the user's own processes until cancelled, each by the handler of its `request`.

    At most MAX_CONTROL_CONNECTIONS are open at once: they have descriptors that no connection of a box can take.
    """
    places = trio.Semaphore(MAX_CONTROL_CONNECTIONS)

    async def handle(stream: trio.SocketStream) -> None:
        peer = peers.of(stream.socket)
        if peer.uid != os.getuid():
            _logger.warning("control connection of uid %d refused", peer.uid)
            return
        try:
            places.acquire_nowait()
        except trio.WouldBlock:
            _logger.warning("control connection of process %d refused: there are too many", peer.pid)
            return
        try:
            with trio.fail_after(REQUEST_TIMEOUT):
                request = messages.decode(await _read(stream))
            answer = await _answer(request, handlers)
            with trio.fail_after(REQUEST_TIMEOUT):
                await stream.send_all(messages.encode(answer))
        except (trio.BrokenResourceError, trio.TooSlowError, messages.MalformedMessage) as error:
            _logger.warning("control connection of process %d ended: %r", peer.pid, error)
        finally:
            places.release()

    await trio.serve_listeners(handle, [listener], task_status=task_status)


async def _read(stream: trio.SocketStream) -> bytes:
    content = b""
    while len(content) <= messages.MAX_SIZE and (data := await stream.receive_some(_READ_SIZE)):
        content += data
    return content


async def _answer(request: Message, handlers: Mapping[str, Handler]) -> Message:
    asked = request.get("request", "")
    handler = handlers.get(asked)
    if handler is None:
        return {"refused": f"unknown request {asked[:64]!a}"}
    try:
        return {"done": asked, **await handler(request)}
    except LitterboxError as error:
        _logger.warning("%s refused: %s %s", asked, error.sentence, error.hint)
        return {"refused": error.sentence}
    except Exception:
        _logger.exception("%s failed", asked)
        return {"refused": "a fault of its own, which its log has"}
