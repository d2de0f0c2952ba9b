"""What the host says to a box: objects for `wire.encode`, and frames that carry data."""

import base64

from litterbox_guest import wire


def hello_ack(
    *, accepted: list[str], rejected: list[str], features: list[str] | None = None, links: list[str] | None = None
) -> dict[str, object]:
    """The host's answer to `hello`; None leaves a field away, for a guest that knows no features."""
    answer: dict[str, object] = {"type": "hello_ack", "accepted": accepted, "rejected": rejected}
    if features is not None:
        answer["features"] = features
    if links is not None:
        answer["links"] = links
    return answer


def shutdown() -> dict[str, object]:
    return {"type": "shutdown"}


def ack(**fields: int) -> dict[str, object]:
    return {"type": "ack", **fields}


def notify_action_result(*, notification: int, action: str | None) -> dict[str, object]:
    """A notification is closed: the key of the action that was chosen, None where none was."""
    return {"type": "notify_action_result", "id": notification, "action": action}


def clipboard_data(*, mime_type: str, more: bool) -> dict[str, object]:
    """A piece of what the clipboard holds, for `data_frame`; the last one is without `more`."""
    return {"type": "clipboard_data", "mime_type": mime_type, "more": more}


def host_exec_done(status: int) -> dict[str, object]:
    """The command has ended: its exit status, 128 + N where signal N ended it."""
    return {"type": "host_exec_done", "exit_code": status}


def data_frame(message: dict[str, object], data: bytes, *, raw: bool) -> bytes:
    """A frame that carries `data`, at most CHUNK bytes: as it is where `raw`, else as text.

    Where it is no UTF-8, or as JSON too long (a control character takes six bytes), it is base64.
    """
    if raw:
        return wire.encode(message, data)
    try:
        return wire.encode({**message, "data": data.decode("utf-8")})
    except (UnicodeDecodeError, wire.FrameTooLarge):
        return wire.encode({**message, "encoding": "base64", "data": base64.b64encode(data).decode("ascii")})


def error(reason: str, **fields: int) -> dict[str, object]:
    """`status`, where it is given, is the exit status of the command that asked."""
    return {"type": "error", "reason": reason, **fields}
