"""The messages that travel between a box and its host, and the one converter that reads them.

Names and fields are those of the guest daemon's specification. Unknown fields are ignored, so that an older and a
newer side meet; a wrong type is an error. `wire` frames what this module makes.
"""

import attrs
import cattrs
from cattrs.strategies import configure_tagged_union


@attrs.frozen(kw_only=True)
class Hello:
    """The first frame of every connection from the box: who speaks, and which capabilities it would like."""

    version: str
    container: str
    capabilities: list[str]


@attrs.frozen(kw_only=True)
class Ping:
    """Keeps a connection alive; answered with `ack`."""


GuestMessage = Hello | Ping

_TAGS = {Hello: "hello", Ping: "ping"}


def hello_ack(*, accepted: list[str], rejected: list[str]) -> dict[str, object]:
    """The host's answer to `hello`."""
    return {"type": "hello_ack", "accepted": accepted, "rejected": rejected}


def ack() -> dict[str, object]:
    return {"type": "ack"}


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
        raise UnknownMessage(f"unknown message type {str(kind)[:64]!r}")
    try:
        message: GuestMessage = _converter.structure(frame, GuestMessage)  # type: ignore[arg-type]
    except cattrs.BaseValidationError as problem:
        raise InvalidMessage(f"invalid {kind}: {'; '.join(cattrs.transform_error(problem))}") from problem
    return message


def _string(value: object, _type: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected a string")
    return value


_converter = cattrs.Converter()
_converter.register_structure_hook(str, _string)
configure_tagged_union(GuestMessage, _converter, tag_generator=_TAGS.__getitem__, tag_name="type")
