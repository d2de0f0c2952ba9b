"""The messages that travel between a box and its host, and the one converter that reads them.

Names and fields are those of the guest daemon's specification. Unknown fields are ignored, so that an older and a
newer side meet; a wrong type is an error. `wire` frames what this module makes.
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
    """The first frame of every connection from the box: who speaks, and which capabilities it would like.

    `features` are what the speaker knows beside the specification, None where it speaks of none: FEATURES.
    """

    version: str
    container: str
    capabilities: list[str]
    features: list[str] | None = None


@attrs.frozen(kw_only=True)
class Ping:
    """Keeps a connection alive; answered with `ack`."""


@attrs.frozen(kw_only=True)
class Action:
    """A button of a notification: what is answered where it is pressed, and what is on it."""

    key: str
    label: str


@attrs.frozen(kw_only=True)
class Notify:
    """Show a notification; answered with `ack`, which has its `id`.

    With `wait`, or with actions, a `notify_action_result` follows when it is closed. `timeout` is in milliseconds, 0
    for one that stays, None for as long as the desktop shows one; `replaces` is the id of an earlier one.
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
    """Open the URI with the program that the user's desktop has for it; answered with `ack`."""

    uri: str


@attrs.frozen(kw_only=True)
class ClipboardSet:
    """A piece of what the clipboard, or the primary selection, shall hold, of at most CHUNK bytes.

    Each says the type and the selection; the last one, without `more`, is answered with `ack`. An `error` before it
    refuses them all.
    """

    data: bytes = attrs.field(repr=False)
    mime_type: str = "text/plain;charset=utf-8"
    primary: bool = False
    more: bool = False


@attrs.frozen(kw_only=True)
class ClipboardGet:
    """Give what the clipboard, or the primary selection, holds: answered with one or more `clipboard_data`."""

    mime_type: str = "text/plain;charset=utf-8"
    primary: bool = False


@attrs.frozen(kw_only=True)
class Terminal:
    """The caller's terminal: the child gets one of that size. `stderr` says whether standard error is on it too."""

    rows: int
    columns: int
    term: str = ""
    stderr: bool = True


@attrs.frozen(kw_only=True)
class HostExec:
    """Run a command of the settings' table. `working_dir` is the caller's folder in the box.

    Answered with `ack` when it runs (to those who have STREAMS), any number of `host_exec_stdout` and
    `host_exec_stderr`, and `host_exec_done`; or with `error`. Text that is not UTF-8 has surrogate escapes (PEP 383).
    """

    command: str
    args: list[str] = attrs.field(factory=list)
    working_dir: str = ""
    terminal: Terminal | None = None


@attrs.frozen(kw_only=True)
class HostExecStdin:
    """A piece of the command's standard input. To those who have STREAMS, `ack` says how much of it was taken."""

    data: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class HostExecStdinEof:
    """The end of the command's standard input."""


@attrs.frozen(kw_only=True)
class HostExecSignal:
    """Send the command's process group a signal, by its name without SIG: one of SIGNALS."""

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
    """The guest daemon should end: another takes its place, or the box does without."""


HostMessage = HelloAck | Ping | Shutdown

_HOST_TAGS: dict[type, str] = {HelloAck: "hello_ack", Ping: "ping", Shutdown: "shutdown"}

# Whoever has this feature keeps the links of the interceptors: it is told of named ones, and to shut down when they
# change.
LINKS = "links"
STREAMS = wire.STREAMS
FEATURES = (LINKS, STREAMS)

STDIN_WINDOW = wire.STDIN_WINDOW
CHUNK = wire.CHUNK
SIGNALS = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "TSTP", "CONT")


class BadMessage(ValueError):
    """A frame that is no message."""


class UnknownMessage(BadMessage):
    """A `type` that this side does not know."""


class InvalidMessage(BadMessage):
    """A known type with a missing field or a field of the wrong type."""


def from_guest(frame: dict[str, object]) -> GuestMessage:
    """Read one frame from the box. Raises UnknownMessage and InvalidMessage."""
    message: GuestMessage = _structured(frame, GuestMessage, _TAGS)
    return message


def from_host(frame: dict[str, object]) -> HostMessage:
    """Read one frame that the guest daemon got. Raises UnknownMessage and InvalidMessage."""
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
    """`data` that came as text, as the bytes that it stands for. Raises ValueError."""
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
    """Of that type and no other: cattrs by itself makes a text of a number, and a number of a text."""

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
