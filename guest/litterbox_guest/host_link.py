"""The connection that `/litterbox wait` keeps to the daemon of its box, to know whether the daemon is running."""

import trio

from litterbox_guest import __version__, wire
from litterbox_guest.changes import ChangeFlag

_READ_SIZE = 4096
_SETTLE_DELAY = (0.0, 0.1, 1.0)  # seconds before each try; a daemon that has bound its socket may not listen yet


class HostConnection:
    """Whether the daemon is connected. `wait_down` waits until it is not."""

    def __init__(self) -> None:
        self.is_up = False
        self._lost = trio.Event()
        self._lost.set()

    def connected(self) -> None:
        self.is_up = True
        self._lost = trio.Event()

    def disconnected(self) -> None:
        self.is_up = False
        self._lost.set()

    async def wait_down(self) -> None:
        await self._lost.wait()


async def keep_linked(connection: HostConnection, path: str, box: str, folder_changed: ChangeFlag) -> None:
    """Connect to the host socket at `path`, and connect again when its folder changes after the connection was lost.

    Runs until cancelled. Ignores everything that the daemon sends.
    """
    while True:
        await folder_changed.wait()
        for pause in _SETTLE_DELAY:
            await trio.sleep(pause)
            try:
                stream = await trio.open_unix_socket(path)
            except OSError:
                continue
            async with stream:
                await _hold(connection, stream, box)
            break


async def _hold(connection: HostConnection, stream: trio.SocketStream, box: str) -> None:
    """Say hello, and read until the daemon closes the connection."""
    hello: dict[str, object] = {"type": "hello", "version": __version__, "container": box, "capabilities": []}
    connection.connected()
    try:
        await stream.send_all(wire.encode(hello))
        while await stream.receive_some(_READ_SIZE):
            pass
    except trio.BrokenResourceError:
        pass
    finally:
        connection.disconnected()
