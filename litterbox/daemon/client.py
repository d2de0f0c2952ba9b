"""Talking to a running daemon over its control socket: one request, one answer, one connection.

The warm path of `enter` imports this: no event loop, and of the heavier modules only json.
"""

import base64
import os
import socket

from litterbox import locks, paths
from litterbox.errors import DaemonError
from litterbox_guest import wire

ANSWER_WITHIN = 30.0  # seconds; a daemon answers in milliseconds, or it hangs

_READ_SIZE = 65536
_DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS")


def ask(name: str, request: "dict[str, object]") -> "dict[str, object] | None":
    """Send one request to the daemon of `name`; None when no daemon listens.

    Raises DaemonError when it refuses (with its reason), or does not answer.
    """
    path = paths.control_socket(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_WITHIN)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise DaemonError(f"The daemon of {name} cannot be reached: {error.strerror}: {path}") from error
        try:
            connection.sendall(wire.encode(request))
            answer = _read(connection)
        except TimeoutError as error:
            raise DaemonError(
                f"The daemon of {name} does not answer.", f"See its log: litterbox logs {name}"
            ) from error
        except (OSError, wire.Truncated, wire.FrameTooLarge, wire.MalformedFrame):
            answer = None
    if answer is None:
        raise DaemonError(f"The daemon of {name} ended without an answer.", f"See its log: litterbox logs {name}")
    if answer.get("type") != "ok":
        raise DaemonError(f"The daemon of {name} refused: {answer.get('reason')}")
    return answer


def _read(connection: socket.socket) -> "dict[str, object] | None":
    frames = wire.FrameReader()
    while (frame := frames.next_frame()) is None:
        data = connection.recv(_READ_SIZE)
        frames.receive_data(data)
        if not data:
            return None
    return frame


def display_variables() -> "dict[str, str]":
    """What a program needs to reach this login's desktop, as this process has it."""
    return {name: os.environ[name] for name in _DISPLAY_VARIABLES if os.environ.get(name)}


def announce_entry(name: str) -> "dict[str, object] | None":
    """Hand the display over and learn whether the box runs: {"running": bool, "notice": str}; None without a daemon."""
    return ask(name, {"type": "enter", "display": display_variables()})


def announce_start(name: str) -> "dict[str, object]":
    """Tell the daemon that the container was started, so that it watches the container; answers as announce_entry.

    Raises DaemonError when the daemon is gone, or sees no running container.
    """
    answer = ask(name, {"type": "started"})
    if answer is None:
        raise DaemonError(f"The daemon of {name} ended while the box started.", f"See its log: litterbox logs {name}")
    if not answer.get("running"):
        raise DaemonError(f"The box {name} started and ended at once.", f"Podman knows why: podman logs lbx-{name}")
    return answer


def hand_over_vault_key(name: str, vault_key: bytes) -> None:
    """Give a running daemon the key that opens the box's SSH keys; nothing to do when none runs."""
    ask(name, {"type": "vault_key", "key": base64.b64encode(vault_key).decode("ascii")})


def stop(name: str) -> bool:
    """Ask the daemon to stop the box, and wait until it is gone; False when none runs."""
    if ask(name, {"type": "stop"}) is None:
        return False
    with locks.hold(paths.daemon_lock(name), shared=True):
        return True
