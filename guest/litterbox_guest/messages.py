"""The messages that travel between a box and its host, and the one converter that reads them.

Names and fields are those of the guest daemon's specification. Unknown fields are ignored, so that an older and a
newer side meet; a wrong type is an error. `wire` frames what this module makes.
"""

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

import attrs
import cattrs
from cattrs.strategies import configure_tagged_union

Urgency = Literal["low", "normal", "critical"]


@attrs.frozen(kw_only=True)
class Hello:
    """The first frame of every connection from the box: who speaks, and which capabilities it would like."""

    version: str
    container: str
    capabilities: list[str]


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


GuestMessage = Hello | Ping | Notify

_TAGS = {Hello: "hello", Ping: "ping", Notify: "notify"}


def hello_ack(*, accepted: list[str], rejected: list[str]) -> dict[str, object]:
    """The host's answer to `hello`."""
    return {"type": "hello_ack", "accepted": accepted, "rejected": rejected}


def ack(**fields: int) -> dict[str, object]:
    return {"type": "ack", **fields}


def notify_action_result(*, notification: int, action: str | None) -> dict[str, object]:
    """A notification is closed: the key of the action that was chosen, None where none was."""
    return {"type": "notify_action_result", "id": notification, "action": action}


def error(reason: str) -> dict[str, object]:
    return {"type": "error", "reason": reason}


class UnknownMessage(ValueError):
    """A `type` that this side does not know."""


class InvalidMessage(ValueError):
    """A known type with a missing field or a field of the wrong type."""


def from_guest(frame: dict[str, object]) -> GuestMessage:
    """Read one frame from the box. Raises UnknownMessage and InvalidMessage."""
    kind = frame.get("type")
    if kind not in _TAGS.values():
        raise UnknownMessage(f"unknown message type {str(kind)[:64]!a}")
    try:
        message: GuestMessage = _converter.structure(frame, GuestMessage)  # type: ignore[arg-type]
    except cattrs.BaseValidationError as problem:
        first = cattrs.transform_error(problem)[0]
        raise InvalidMessage(f"invalid {kind}: {ascii(first)[1:200]}") from problem
    return message


def _exactly(expected: type) -> Callable[[object, type], object]:
    """Of that type and no other: cattrs by itself makes a text of a number, and a number of a text."""

    def structure(value: object, _type: object) -> object:
        if type(value) is not expected:
            raise TypeError(f"expected {_NAMES[expected]}")
        return value

    return structure


_NAMES = {str: "a string", int: "a whole number", bool: "true or false"}


def _list(value: object, type_: Any) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("expected an array")
    [item] = get_args(type_)
    return [_converter.structure(each, item) for each in value]


def _is_list(type_: Any) -> bool:
    return get_origin(type_) is list


_converter = cattrs.Converter()
for _type in (str, int, bool):
    _converter.register_structure_hook(_type, _exactly(_type))
_converter.register_structure_hook_func(_is_list, _list)
configure_tagged_union(GuestMessage, _converter, tag_generator=_TAGS.__getitem__, tag_name="type")
