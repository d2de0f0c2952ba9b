"""What a key was added with (RFC 9987 section 5.2.7, OpenSSH's PROTOCOL.agent section 2): how long, whether it must be
confirmed, and along which hops it may be used. Sans-I/O; whether a use is allowed is a pure function of the bindings.
"""

from collections.abc import Sequence
from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket

from litterbox.agent import public_keys
from litterbox.agent.binding import Binding, Bindings
from litterbox.agent.certificates import certifies
from litterbox.agent.patterns import fits

_LIFETIME: Final = 1
_CONFIRM: Final = 2
_EXTENSION: Final = 255
_RESTRICT_DESTINATION: Final = b"restrict-destination-v00@openssh.com"
_SK_PROVIDER: Final = b"sk-provider@openssh.com"
_MAX_DESTINATIONS: Final = 1024  # as OpenSSH's AGENT_MAX_DEST_CONSTRAINTS
MAX_KEYS: Final = 1024  # of all hosts together; each costs ten microseconds
MAX_CERTIFIED_HOSTS: Final = 4096  # characters of all that are known by an authority; a certificate is held to each


@attrs.frozen
class HopKey:
    """A host key, or the key of an authority that certifies host keys."""

    blob: bytes
    is_ca: bool


@attrs.frozen
class Hop:
    """One end of a permitted step: a host known by any of its keys; no host at all is where the agent runs.

    `user` is a pattern, "" for any.
    """

    user: str
    host: str
    keys: tuple[HopKey, ...]


@attrs.frozen
class Destination:
    """One permitted step of a key's use: from `start` to `end`."""

    start: Hop
    end: Hop


@attrs.frozen
class Constraints:
    """`lifetime` is in seconds, None for ever; without `destinations` the key may be used anywhere."""

    lifetime: int | None = None
    confirm: bool = False
    destinations: tuple[Destination, ...] = ()


def parse_constraints(body: SSHPacket) -> Constraints:
    """Read the constraints that fill the rest of `body`. Raises PacketDecodeError, also for one that is not known."""
    lifetime: int | None = None
    confirm = False
    destinations: tuple[Destination, ...] | None = None
    while body:
        kind = body.get_byte()
        if kind == _LIFETIME and lifetime is None:
            lifetime = body.get_uint32()
        elif kind == _CONFIRM and not confirm:
            confirm = True
        elif kind == _EXTENSION:
            name = body.get_string()
            if name == _RESTRICT_DESTINATION and destinations is None:
                destinations = _parse_destinations(body.get_string())
            elif name == _SK_PROVIDER:  # and such keys are refused (requests.py)
                raise PacketDecodeError("a provider of security keys, for a key that is not on one")
            else:
                raise PacketDecodeError("a constraint that is not known, or comes twice")
        else:
            raise PacketDecodeError("a constraint that is not known, or comes twice")
    return Constraints(lifetime, confirm, destinations or ())


def permits(destinations: Sequence[Destination], bindings: Bindings, user: str | None) -> bool:
    """Say whether the bound path may use a key (as OpenSSH's identity_permitted does).

    `user` is the login's user where a signature is asked for, None where the key is to be seen or removed.
    """
    if not destinations:
        return True
    if not bindings.hops:
        return user is None and not bindings.failed  # a local connection; a signature needs a bound one
    previous: Binding | None = None
    last = bindings.hops[-1]
    for hop in bindings.hops:
        if hop is not last and not hop.forwarding:
            return False  # forwarded through a session that was bound for a login
        if hop is last and hop.forwarding and user is not None:
            return False  # a login on the hop that only forwards
        if not _step(destinations, previous, hop, user if hop is last else None):
            return False
        previous = hop
    # A key that may only be used to reach the last host, not from it, is not shown to it.
    return not last.forwarding or user is not None or _step(destinations, last, None, None)


def _step(destinations: Sequence[Destination], start: Binding | None, end: Binding | None, user: str | None) -> bool:
    return any(
        (not step.start.keys if start is None else _is_at(step.start, start))
        and (end is None or _is_at(step.end, end))
        and (user is None or not step.end.user or fits(user, step.end.user))
        for step in destinations
    )


def _is_at(hop: Hop, binding: Binding) -> bool:
    if binding.certificate is None:
        return any(not key.is_ca and key.blob == binding.host_key for key in hop.keys)
    authority = binding.certificate.authority
    named = any(key.is_ca and key.blob == authority for key in hop.keys)
    return named and certifies(binding.certificate, authority, hop.host)


def _parse_destinations(content: bytes) -> tuple[Destination, ...]:
    packet = SSHPacket(content)
    destinations: list[Destination] = []
    keys_left = MAX_KEYS
    while packet:
        if len(destinations) >= _MAX_DESTINATIONS:
            raise PacketDecodeError("too many destinations")
        step = SSHPacket(packet.get_string())
        start = _parse_hop(step.get_string(), keys_left)
        end = _parse_hop(step.get_string(), keys_left - len(start.keys))
        keys_left -= len(start.keys) + len(end.keys)
        if step.get_string():
            raise PacketDecodeError("a destination with an extension that is not known")
        if bool(start.host) != bool(start.keys) or start.user:
            raise PacketDecodeError("a destination that starts at half a host")
        if not end.host or not end.keys:
            raise PacketDecodeError("a destination without a host")
        destinations.append(Destination(start, end))
    hops = [hop for step in destinations for hop in (step.start, step.end)]
    if sum(len(hop.host) for hop in hops if any(key.is_ca for key in hop.keys)) > MAX_CERTIFIED_HOSTS:
        raise PacketDecodeError("too many hosts that are known by an authority")
    return tuple(destinations)


def _parse_hop(content: bytes, most_keys: int) -> Hop:
    packet = SSHPacket(content)
    user, host = _text(packet.get_string()), _text(packet.get_string())
    if packet.get_string():
        raise PacketDecodeError("a host with an extension that is not known")
    keys: list[HopKey] = []
    while packet:
        if len(keys) >= most_keys:
            raise PacketDecodeError("too many keys of hosts")
        keys.append(_parse_key(packet.get_string(), is_ca=packet.get_boolean()))
    return Hop(user, host, tuple(keys))


def _parse_key(blob: bytes, *, is_ca: bool) -> HopKey:
    """No cryptography: there may be thousands."""
    packet = SSHPacket(blob)
    key = public_keys.read(packet.get_string(), packet)
    packet.check_end()
    return HopKey(key, is_ca)


def _text(content: bytes) -> str:
    try:
        text = content.removesuffix(b"\0").decode()
    except UnicodeDecodeError:
        raise PacketDecodeError("a name that is not UTF-8") from None
    if "\0" in text:
        raise PacketDecodeError("a name that holds a NUL")
    return text
