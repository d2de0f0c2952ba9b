"""Reads and writes the caller's descriptors in an event loop, and leaves them as they were.

Other programs share them: a shell breaks when its standard input becomes non-blocking. So pipes and terminals are
opened again through /proc, and only that open file is non-blocking. Sockets have a flag for each call. Files never
block for long. A worker thread reads or writes where none of this works.
"""

import errno
import os
import socket
import stat
from collections.abc import Awaitable, Callable

import trio

Read = Callable[[int], Awaitable[bytes]]
Write = Callable[[bytes], Awaitable[None]]


class Closed(Exception):
    """The other end of the descriptor was closed."""


def reader(descriptor: int) -> Read:
    """Return a function that waits for at most so many bytes, and returns b"" at the end. It raises OSError."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        connection = socket.socket(fileno=os.dup(descriptor))
        return lambda size: _receive(connection, size)
    if _never_blocks(descriptor, mode):
        return lambda size: _read_at_once(descriptor, size)
    stream = _own_stream(descriptor, os.O_RDONLY)
    if stream is None:
        return lambda size: _read_in_thread(descriptor, size)
    return lambda size: _read_stream(stream, size)


def writer(descriptor: int) -> Write:
    """Return a function that writes all the bytes that it gets. It raises Closed and OSError."""
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        connection = socket.socket(fileno=os.dup(descriptor))
        return lambda data: _send(connection, data)
    if _never_blocks(descriptor, mode):
        return lambda data: _write_at_once(descriptor, data)
    stream = _own_stream(descriptor, os.O_WRONLY)
    if stream is None:
        return lambda data: _write_in_thread(descriptor, data)
    return lambda data: _write_stream(stream, data)


def _never_blocks(descriptor: int, mode: int) -> bool:
    """Whether it is a file, or a device such as /dev/null, which an event loop cannot wait for either."""
    return not stat.S_ISFIFO(mode) and not os.isatty(descriptor)


def _own_stream(descriptor: int, direction: int) -> trio.lowlevel.FdStream | None:
    """Open a pipe or terminal again. None where this fails: it belongs to another user (su), or /proc is missing."""
    flags = direction | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return trio.lowlevel.FdStream(os.open(f"/proc/self/fd/{descriptor}", flags))
    except OSError:
        return None


async def _read_stream(stream: trio.lowlevel.FdStream, size: int) -> bytes:
    try:
        return bytes(await stream.receive_some(size))
    except trio.BrokenResourceError:  # a terminal that was hung up
        return b""


async def _write_stream(stream: trio.lowlevel.FdStream, data: bytes) -> None:
    try:
        await stream.send_all(data)
    except trio.BrokenResourceError as error:
        raise Closed from error


async def _read_at_once(descriptor: int, size: int) -> bytes:
    await trio.lowlevel.checkpoint()
    return os.read(descriptor, size)


async def _write_at_once(descriptor: int, data: bytes) -> None:
    await trio.lowlevel.checkpoint()
    _write_all(descriptor, data)


async def _receive(connection: socket.socket, size: int) -> bytes:
    while True:
        await trio.lowlevel.wait_readable(connection)
        try:
            return connection.recv(size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
        except ConnectionError:
            return b""


async def _send(connection: socket.socket, data: bytes) -> None:
    left = memoryview(data)
    while left:
        await trio.lowlevel.wait_writable(connection)
        try:
            left = left[connection.send(left, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            continue
        except ConnectionError as error:
            raise Closed from error


async def _read_in_thread(descriptor: int, size: int) -> bytes:
    return await trio.to_thread.run_sync(os.read, descriptor, size, abandon_on_cancel=True)


async def _write_in_thread(descriptor: int, data: bytes) -> None:
    await trio.to_thread.run_sync(_write_all, descriptor, data, abandon_on_cancel=True)


def _write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except OSError as error:
            if error.errno in {errno.EPIPE, errno.EIO}:
                raise Closed from error
            raise
