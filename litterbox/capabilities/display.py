"""Checks that a login's display still exists. `xdg-open` does not: it reports success for a browser without one."""

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import trio

_TIMEOUT: Final = 2.0  # seconds; enough for X11 through ssh, which is on localhost
_FIRST_PORT: Final = 6000  # of X11
_MAX_NUMBER_LENGTH: Final = 4  # digits


async def listens(environment: Mapping[str, str]) -> bool:
    """Whether a server listens at the address in WAYLAND_DISPLAY or DISPLAY."""
    with trio.move_on_after(_TIMEOUT):
        for connect in _connectors(environment):
            try:
                connection = await connect()
            except OSError:
                continue
            await connection.aclose()
            return True
    return False


def _connectors(environment: Mapping[str, str]) -> list[Callable[[], Awaitable[trio.SocketStream]]]:
    connectors: list[Callable[[], Awaitable[trio.SocketStream]]] = []
    if wayland := environment.get("WAYLAND_DISPLAY"):
        path = os.path.join(environment.get("XDG_RUNTIME_DIR", "/"), wayland)
        connectors.append(partial(trio.open_unix_socket, path))
    host, _colon, rest = environment.get("DISPLAY", "").rpartition(":")  # X(7): HOST:NUMBER.SCREEN
    number = rest.partition(".")[0]
    if not (number.isascii() and number.isdigit() and len(number) <= _MAX_NUMBER_LENGTH):
        return connectors
    if host not in {"", "unix"}:
        return [*connectors, partial(trio.open_tcp_stream, host, _FIRST_PORT + int(number))]
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - X servers have their sockets there
    return [*connectors, partial(trio.open_unix_socket, path), partial(trio.open_unix_socket, f"\0{path}")]
