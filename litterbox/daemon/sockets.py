"""The daemon's listening sockets: bound anew by each daemon, gone when it ends."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

from litterbox import files
from litterbox.errors import HostError

_BACKLOG = 4096


@asynccontextmanager
async def open_unix_listener(path: str) -> AsyncIterator[trio.SocketListener]:
    """Listen at `path`, mode 0600, in place of what a killed daemon left there; removed at the end of the block.

    Only the holder of the daemon lock may call this. Raises HostError.
    """
    files.private_folder(os.path.dirname(path))
    listening = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        await listening.bind(path)
        os.chmod(path, files.PRIVATE_FILE)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise HostError(f"The socket {path} cannot be made: {error.strerror}.") from error
    async with trio.SocketListener(listening) as listener:
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                os.unlink(path)
