"""The messages that the host sends to a box, and the one place where they become bytes.

`HelloAck` and `Shutdown` are defined in `litterbox_guest.messages`, because the guest daemon reads them too.
"""

import base64
from collections.abc import Mapping
from typing import Final

import attrs

from litterbox_guest import wire
from litterbox_guest.messages import HelloAck, Shutdown


@attrs.frozen(kw_only=True)
class Ack:
    """The request was carried out, or has begun.

    `id` is that of a notification. `stdin` is how many bytes of standard input a host command has just taken.
    """

    id: int | None = None
    stdin: int | None = None


@attrs.frozen(kw_only=True)
class NotifyActionResult:
    """The notification `id` was closed. `action` is the key of the chosen action, None where none was chosen."""

    id: int
    action: str | None


@attrs.frozen(kw_only=True)
class ClipboardData:
    """At most CHUNK bytes of what the clipboard holds. `more` is false in the last piece only."""

    mime_type: str
    more: bool
    data: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class HostExecStdout:
    """At most CHUNK bytes that the host command wrote to its standard output."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class HostExecStderr:
    """At most CHUNK bytes that the host command wrote to its standard error."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class HostExecDone:
    """The host command has ended. `exit_code` is its exit status, or 128 + N where signal N ended it."""

    exit_code: int


@attrs.frozen(kw_only=True)
class Error:
    """The request was refused or has failed, for `reason`.

    `status` is the exit status that the program which asked should have. None leaves the choice to the program.
    """

    reason: str
    status: int | None = None


Reply = (
    HelloAck
    | Shutdown
    | Ack
    | NotifyActionResult
    | ClipboardData
    | HostExecStdout
    | HostExecStderr
    | HostExecDone
    | Error
)

_TYPES: Final[Mapping[type, str]] = {
    HelloAck: "hello_ack",
    Shutdown: "shutdown",
    Ack: "ack",
    NotifyActionResult: "notify_action_result",
    ClipboardData: "clipboard_data",
    HostExecStdout: "host_exec_stdout",
    HostExecStderr: "host_exec_stderr",
    HostExecDone: "host_exec_done",
    Error: "error",
}


def encode(reply: Reply, *, raw: bool) -> bytes:
    """Return the frame of a reply. An optional field that is None is omitted.

    `raw` says whether the client reads data behind the JSON object (feature `streams`). For other clients, data is a
    string of the object: the text itself, or base64 where it is not UTF-8 or would make the frame too long (a control
    character takes six bytes of JSON). Raises wire.FrameTooLarge, which means a bug of ours.
    """
    frame: dict[str, object] = {"type": _TYPES[type(reply)]}
    for field in attrs.fields(type(reply)):
        value = getattr(reply, field.name)
        if value is not None or field.default is attrs.NOTHING:
            frame[field.name] = value
    data = frame.pop("data", None)
    if not isinstance(data, bytes):
        return wire.encode(frame)
    if raw:
        return wire.encode(frame, data)
    try:
        return wire.encode({**frame, "data": data.decode("utf-8")})
    except (UnicodeDecodeError, wire.FrameTooLarge):
        return wire.encode({**frame, "encoding": "base64", "data": base64.b64encode(data).decode("ascii")})
