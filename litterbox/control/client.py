"""Talking to a running daemon over its control socket: one request, one answer, one connection.

The warm path of `enter` imports this: no event loop, and `_socket` without the enumerations around it.
"""

import os
import time
from _socket import AF_UNIX, SHUT_WR, SOCK_STREAM, socket

from litterbox import paths
from litterbox.control import messages
from litterbox.control.messages import Message
from litterbox.errors import DaemonError, DaemonGone, DaemonTimeout

ANSWER_TIMEOUT = 10.0  # seconds; a daemon answers in milliseconds, or it hangs
PODMAN_ANSWER_TIMEOUT = 40.0  # seconds for a request for which the daemon itself waits for Podman, which may take 28
DISPLAY_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS")

_READ_SIZE = 65536


def ask(name: str, request: Message, *, within: float = ANSWER_TIMEOUT) -> Message | None:
    """Send one request to the daemon of `name`; None when no daemon listens.

    Raises DaemonTimeout when no answer came `within` seconds, DaemonGone when the daemon ended meanwhile, and
    DaemonError when it refuses (with its reason).
    """
    path = paths.control_socket(name)
    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(within)
        connection.connect(path)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except (TimeoutError, BlockingIOError) as error:  # the queue of connections is full
        connection.close()
        raise _silent(name, within) from error
    except OSError as error:
        connection.close()
        raise DaemonError(f"The daemon of {name} cannot be reached: {error.strerror or error}: {path}") from error
    try:
        connection.sendall(messages.encode(request))
        connection.shutdown(SHUT_WR)
        answer = messages.decode(_read(connection, time.monotonic() + within))
    except TimeoutError as error:
        raise _silent(name, within) from error
    except (OSError, messages.MalformedMessage):
        answer = {}
    finally:
        connection.close()
    if not answer:
        raise DaemonGone(f"The daemon of {name} ended without an answer.", f"See its log: litterbox logs {name}")
    if "refused" in answer:
        raise DaemonError(f"The daemon of {name} refused: {answer['refused']}", f"See its log: litterbox logs {name}")
    return answer


def _read(connection: socket, deadline: float) -> bytes:
    content = b""
    while data := connection.recv(_READ_SIZE):
        content += data
        connection.settimeout(max(0.001, deadline - time.monotonic()))
    return content


def _silent(name: str, within: float) -> DaemonTimeout:
    return DaemonTimeout(
        f"The daemon of {name} did not answer within {within:.0f} s: it hangs, or somebody stopped it.",
        f"End it and its box: litterbox stop {name}",
    )


def announce_entry(name: str) -> Message | None:
    """Hand the display over and learn whether the box runs ("yes" or "no") and a notice; None without a daemon."""
    display = {variable: os.environ[variable] for variable in DISPLAY_VARIABLES if os.environ.get(variable)}
    return ask(name, {"request": "enter", **display})


def announce_start(name: str) -> Message:
    """Tell the daemon that the container was started, so that it watches the container; answers as announce_entry.

    Raises DaemonError when the daemon is gone, or sees no running container.
    """
    answer = ask(name, {"request": "started"}, within=PODMAN_ANSWER_TIMEOUT)
    if answer is None:
        raise DaemonError(f"The daemon of {name} ended while the box started.", f"See its log: litterbox logs {name}")
    if answer["running"] != "yes":
        raise DaemonError(f"The box {name} started and ended at once.", f"Podman knows why: podman logs lbx-{name}")
    return answer


def hand_over_vault_key(name: str, vault_key: bytes) -> None:
    """Give a running daemon the key that opens the box's SSH keys; nothing to do when none runs."""
    ask(name, {"request": "vault_key", "key": vault_key.hex()})


def announce_settings(name: str) -> None:
    """Tell a running daemon that the settings of its box were changed; nothing to do when none runs, or it is ending.

    What was asked for is in the file, and counts from the next request of the box on: this only hurries the links.
    """
    try:
        ask(name, {"request": "settings"}, within=PODMAN_ANSWER_TIMEOUT)
    except DaemonError:
        return


def approvals(name: str) -> list[list[str]] | None:
    """What is approved for this session, oldest first: request, subject, destination; None when no daemon runs."""
    import json  # the warm path of `enter` does without

    answer = ask(name, {"request": "approvals"})
    return None if answer is None else list(json.loads(answer["approvals"]))


def forget_approvals(name: str) -> int | None:
    """Drop what is approved for this session; returns how many there were, None when no daemon runs."""
    answer = ask(name, {"request": "forget"})
    return None if answer is None else int(answer["forgotten"])
