"""The control listener: status, stop, keys, display hand-over. Its socket is never mounted into a box."""

import base64
import binascii
import logging
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping

import trio

from litterbox_guest import wire

Request = Mapping[str, object]
Answer = dict[str, object]

_READ_SIZE = 65536
_PEER = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))
_MAX_CONNECTIONS = 512

_log = logging.getLogger(__name__)


async def serve_control(
    listener: trio.SocketListener,
    handlers: Mapping[str, Callable[[Request], Awaitable[Answer]]],
    *,
    task_status: trio.TaskStatus[list[trio.SocketListener]],
) -> None:
    """Answer requests until cancelled: one frame in, one frame out, for the user's own processes only."""
    slots = trio.Semaphore(_MAX_CONNECTIONS)

    async def handle(stream: trio.SocketStream) -> None:
        async with stream, slots:
            try:
                await _converse(stream, handlers)
            except (
                trio.BrokenResourceError,
                wire.FrameTooLarge,
                wire.MalformedFrame,
                wire.Truncated,
            ) as error:
                _log.warning("control connection ended: %s", error)

    await trio.serve_listeners(handle, [listener], task_status=task_status)


async def _converse(stream: trio.SocketStream, handlers: Mapping[str, Callable[[Request], Awaitable[Answer]]]) -> None:
    _pid, uid, _gid = peer(stream)
    if uid != os.getuid():
        _log.warning("control connection of uid %d refused", uid)
        return
    frames = wire.FrameReader()
    while data := await stream.receive_some(_READ_SIZE):
        frames.receive_data(data)
        while (request := frames.next_frame()) is not None:
            await stream.send_all(wire.encode(await _answer(request, handlers)))
    frames.receive_data(b"")


async def _answer(request: Request, handlers: Mapping[str, Callable[[Request], Awaitable[Answer]]]) -> Answer:
    handler = handlers.get(str(request.get("type")))
    if handler is None:
        return {"type": "error", "reason": f"unknown request {request.get('type')!r}"}
    return {"type": "ok", **await handler(request)}


def peer(stream: trio.SocketStream) -> tuple[int, int, int]:
    """The PID, uid and gid of the process that connected (SO_PEERCRED, unix(7))."""
    return _PEER.unpack(stream.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))


def decode_vault_key(request: Request) -> bytes | None:
    """The vault key of a `vault_key` request; None when it is not 32 bytes in base64."""
    try:
        key = base64.b64decode(str(request.get("key")), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == 32 else None
