"""The messages that a box sends to its host, those that the guest daemon receives, and the converter that reads both.

docs/protocol.md describes all of them. Unknown fields are ignored, so that an older and a newer side understand each
other. A field of the wrong type is an error. `wire` turns the objects into frames.
"""

import base64
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import attrs
import cattrs
from cattrs.strategies import configure_tagged_union

from litterbox_guest import wire

Urgency = Literal["low", "normal", "critical"]


@attrs.frozen(kw_only=True)
class Hello:
    """The first message of every connection from the box: who connects, and which capabilities it asks for.

    `features` names what the sender knows beyond the basic protocol: members of FEATURES, or None.
    """

    version: str
    container: str
    capabilities: list[str]
    features: list[str] | None = None


@attrs.frozen(kw_only=True)
class Ping:
    """Checks that the other side answers. The answer is `ack`."""


@attrs.frozen(kw_only=True)
class Action:
    """A button of a notification: the key that is answered when it is pressed, and the label on it."""

    key: str
    label: str


@attrs.frozen(kw_only=True)
class Notify:
    """Show a notification. The answer is `ack` with its `id`.

    With `wait`, or with actions, a `notify_action_result` follows when it is closed. `timeout` is in milliseconds: 0
    for a notification that stays, and None for the desktop's own timeout. `replaces` is the id of an earlier one.
    """

    summary: str
    body: str = ""
    app: str = ""
    urgency: Urgency = "normal"
    icon: str = ""
    timeout: int | None = None
    actions: list[Action] = attrs.field(factory=list)
    wait: bool = False
    replaces: int | None = None

    @property
    def waits(self) -> bool:
        return self.wait or bool(self.actions)


@attrs.frozen(kw_only=True)
class XdgOpen:
    """Open the URI with the program that the user's desktop has for it. The answer is `ack`."""

    uri: str


@attrs.frozen(kw_only=True)
class ClipboardSet:
    """Put content into the clipboard, or into the primary selection. This is one piece of it, of at most CHUNK bytes.

    Each piece names the type and the selection. The last one has no `more`, and is answered with `ack`. An `error`
    refuses all pieces.
    """

    data: bytes = attrs.field(repr=False)
    mime_type: str = "text/plain;charset=utf-8"
    primary: bool = False
    more: bool = False


@attrs.frozen(kw_only=True)
class ClipboardGet:
    """Read the clipboard, or the primary selection. The answer is one or more `clipboard_data`."""

    mime_type: str = "text/plain;charset=utf-8"
    primary: bool = False


@attrs.frozen(kw_only=True)
class Terminal:
    """The caller's terminal. The command gets one of that size, with standard error on it where `stderr` is true."""

    rows: int
    columns: int
    term: str = ""
    stderr: bool = True


@attrs.frozen(kw_only=True)
class HostExec:
    """Run a command that the settings name. `working_dir` is the caller's folder in the box.

    The answers are `ack` when it has begun (only to clients with STREAMS), any number of `host_exec_stdout` and
    `host_exec_stderr`, and `host_exec_done`; or `error`. Text that is not UTF-8 has surrogate escapes (PEP 383).
    """

    command: str
    args: list[str] = attrs.field(factory=list)
    working_dir: str = ""
    terminal: Terminal | None = None


@attrs.frozen(kw_only=True)
class HostExecStdin:
    """A piece of the command's standard input. Clients with STREAMS get an `ack` when the command has taken it."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class HostExecStdinEof:
    """The end of the command's standard input."""


@attrs.frozen(kw_only=True)
class HostExecSignal:
    """Send a signal to the command's process group. Its name is one of SIGNALS."""

    signal: str


@attrs.frozen(kw_only=True)
class HostExecResize:
    """The caller's terminal has a new size."""

    rows: int
    columns: int


GuestMessage = (
    Hello
    | Ping
    | Notify
    | XdgOpen
    | ClipboardSet
    | ClipboardGet
    | HostExec
    | HostExecStdin
    | HostExecStdinEof
    | HostExecSignal
    | HostExecResize
)

_TAGS: dict[type, str] = {
    Hello: "hello",
    Ping: "ping",
    Notify: "notify",
    XdgOpen: "xdg_open",
    ClipboardSet: "clipboard_set",
    ClipboardGet: "clipboard_get",
    HostExec: "host_exec",
    HostExecStdin: "host_exec_stdin",
    HostExecStdinEof: "host_exec_stdin_eof",
    HostExecSignal: "host_exec_signal",
    HostExecResize: "host_exec_resize",
}


@attrs.frozen(kw_only=True)
class HelloAck:
    """The host's answer to `hello`. None leaves a field out, for a guest that spoke of no features.

    With the feature LINKS, `links` are the names of host commands that have a link in the box.
    """

    accepted: list[str]
    rejected: list[str]
    features: list[str] | None = None
    links: list[str] | None = None


@attrs.frozen(kw_only=True)
class Shutdown:
    """The guest daemon should end, because another one takes its place or the box needs none."""


HostMessage = HelloAck | Ping | Shutdown

_HOST_TAGS: dict[type, str] = {HelloAck: "hello_ack", Ping: "ping", Shutdown: "shutdown"}

# A client with this feature is the guest daemon, which keeps the links of the interceptors. It gets the names of host
# commands that have a link, and `shutdown` when another guest daemon takes its place.
LINKS = "links"
STREAMS = wire.STREAMS
FEATURES = (LINKS, STREAMS)

STDIN_WINDOW = wire.STDIN_WINDOW
CHUNK = wire.CHUNK
SIGNALS = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "TSTP", "CONT")


class BadMessage(ValueError):
    """The frame is not a valid message."""


class UnknownMessage(BadMessage):
    """The `type` of the frame is unknown."""


class InvalidMessage(BadMessage):
    """The type is known, but a field is missing or has the wrong type."""


def from_guest(frame: dict[str, object]) -> GuestMessage:
    """Read one frame from the box. Raises UnknownMessage and InvalidMessage."""
    message: GuestMessage = _structured(frame, GuestMessage, _TAGS)
    return message


def from_host(frame: dict[str, object]) -> HostMessage:
    """Read one frame from the host, for the guest daemon. Raises UnknownMessage and InvalidMessage."""
    message: HostMessage = _structured(frame, HostMessage, _HOST_TAGS)
    return message


def _structured(frame: dict[str, object], union: Any, tags: dict[type, str]) -> Any:
    kind = frame.get("type")
    if kind not in tags.values():
        raise UnknownMessage(f"unknown message type {str(kind)[:24]!a}")
    try:
        frame = _with_bytes(frame)
    except ValueError as problem:
        raise InvalidMessage(f"invalid {kind}: its data is not what its encoding says") from problem
    try:
        return _converter.structure(frame, union)
    except cattrs.BaseValidationError as problem:
        first = cattrs.transform_error(problem)[0]
        raise InvalidMessage(f"invalid {kind}: {ascii(first)[1:200]}") from problem


def _with_bytes(frame: dict[str, object]) -> dict[str, object]:
    """Replace `data` that came as a string by the bytes that it stands for. Raises ValueError."""
    data = frame.get("data")
    if not isinstance(data, str):
        return frame
    match frame.get("encoding"):
        case None:
            return {**frame, "data": data.encode("utf-8")}
        case "base64":
            return {**frame, "data": base64.b64decode(data, validate=True)}
        case _:
            raise ValueError("an unknown encoding")


def _exactly(expected: type) -> Callable[[object, type], object]:
    """Return a hook that accepts that type only. By itself, cattrs converts numbers to strings and back."""

    def structure(value: object, _type: object) -> object:
        if type(value) is not expected:
            raise TypeError(f"expected {_NAMES[expected]}")
        return value

    return structure


_NAMES = {str: "a string", int: "a whole number", bool: "true or false", bytes: "a string"}


def _list(value: object, type_: Any) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected an array")
    [item] = get_args(type_)
    return [_converter.structure(each, item) for each in value]


def _is_list(type_: Any) -> bool:
    return get_origin(type_) is list


_converter = cattrs.Converter()
for _type in (str, int, bool, bytes):
    _converter.register_structure_hook(_type, _exactly(_type))
_converter.register_structure_hook_func(_is_list, _list)
configure_tagged_union(GuestMessage, _converter, tag_generator=_TAGS.__getitem__, tag_name="type")
configure_tagged_union(HostMessage, _converter, tag_generator=_HOST_TAGS.__getitem__, tag_name="type")
