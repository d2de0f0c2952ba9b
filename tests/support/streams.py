"""Both ends of a real Unix socket in this process, and a connection as a listener admits it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import trio

from litterbox.connections import Connection, Connections
from litterbox.limits import MAX_HELD_BY_CAPABILITIES
from litterbox.peers import Peer


@contextmanager
def stream_pair() -> Iterator[tuple[trio.SocketStream, trio.SocketStream]]:
    """Two streams that are connected; both are closed at the end of the block."""
    ours, theirs = map(trio.socket.from_stdlib_socket, socket.socketpair(socket.AF_UNIX))
    with ours, theirs:
        yield trio.SocketStream(ours), trio.SocketStream(theirs)


def connection_of(stream: trio.SocketStream, *, pid: int, uid: int = 1000) -> Connection:
    """The only connection of a listener that accepts everybody."""
    everybody = Connections("test", lambda _peer: True, MAX_HELD_BY_CAPABILITIES)
    return Connection(everybody, stream.socket.fileno(), Peer(pid, uid))
