"""Plain sockets to a daemon, as any program of a box opens them: no protocol but lengths, and no event loop."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

from litterbox import paths
from litterbox_guest import wire

LONG_ENOUGH = 30.0  # seconds

HELLO = {"type": "hello", "version": "1", "container": "work"}
GREETING = wire.encode({**HELLO, "capabilities": ["notify", "xdg_open", "clipboard", "host_exec"]})


def connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)  # waits where very many are connecting
    connection.settimeout(LONG_ENOUGH)
    return connection


def to_agent() -> socket.socket:
    return connect(paths.agent_socket("work"))


def to_host(*, greeted: bool = True) -> socket.socket:
    connection = connect(paths.host_socket("work"))
    if greeted:
        connection.sendall(GREETING)
        answer_of(connection)
    return connection


def to_control() -> socket.socket:
    return connect(paths.control_socket("work"))


def answer_of(connection: socket.socket) -> bytes:
    """The next message of either protocol; b"" where the daemon closed the connection."""
    length = exactly(connection, 4)
    return exactly(connection, int.from_bytes(length, "big")) if length else b""


def exactly(connection: socket.socket, count: int) -> bytes:
    got = b""
    try:
        while len(got) < count and (piece := connection.recv(count - len(got))):
            got += piece
    except ConnectionResetError:
        return b""
    return got


def send(connection: socket.socket, data: bytes) -> bytes:
    """Send it; returns the answer, b"" where there was none, because the daemon closed the connection."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return b""
    return answer_of(connection)


@contextlib.contextmanager
def many(open_one: Callable[[], socket.socket], count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(open_one()) for _ in range(count)]


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def wait_until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG_ENOUGH
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
