"""Listening sockets: those of a daemon, bound anew by each, and one at a path of the user's; gone at the end."""

import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

from litterbox import files, paths
from litterbox.errors import HostError, UsageError

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


@asynccontextmanager
async def open_listener_at(path: str) -> AsyncIterator[trio.SocketListener]:
    """Listen at a path of the user's choice, mode 0600 from the first moment; removed at the end if it is still ours.

    What is there already is left alone, but for a socket of the user's that nobody listens on. Raises UsageError.
    """
    if len(os.fsencode(path)) > paths.MAX_SOCKET_PATH_LENGTH:
        raise UsageError(
            f"The socket path is longer than the {paths.MAX_SOCKET_PATH_LENGTH} bytes that Linux allows: {path}",
            "Choose a shorter path.",
        )
    _remove_abandoned(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        _bind_private(listening, path)
        ours = os.lstat(path)
        try:
            async with trio.SocketListener(trio.socket.from_stdlib_socket(listening.dup())) as listener:
                yield listener
        finally:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.lstat(path), ours):  # while it is open, nothing else has its inode
                    os.unlink(path)


def _remove_abandoned(path: str) -> None:
    try:
        there = os.lstat(path)
    except OSError:
        return  # nothing is there, or binding will say what is wrong
    if not stat.S_ISSOCK(there.st_mode) or there.st_uid != os.getuid():
        raise UsageError(
            f"{path} exists already, and is not a socket of yours.", "Choose another path, or remove what is there."
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)  # a listener whose queue is full is one, too
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except BlockingIOError:
            raise _in_use(path) from None
        except OSError as error:
            raise UsageError(f"The socket {path} cannot be used: {error.strerror}.") from error
        else:
            raise _in_use(path)


def _in_use(path: str) -> UsageError:
    return UsageError(f"Another program listens on {path} already.", "Choose another path, or end that program.")


def _bind_private(listening: socket.socket, path: str) -> None:
    """Bind and listen without a moment in which others could connect, or find it abandoned: no checkpoint."""
    before = os.umask(0o777 & ~files.PRIVATE_FILE)
    try:
        listening.bind(path)
        listening.listen(_BACKLOG)
    except OSError as error:
        hint = "Make its folder first." if isinstance(error, FileNotFoundError) else ""
        raise UsageError(f"The socket {path} cannot be made: {error.strerror}.", hint) from error
    finally:
        os.umask(before)
