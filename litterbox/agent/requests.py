"""The requests of the SSH agent protocol (RFC 9987 section 5) as data, and reading each from its body."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket

from litterbox.agent.binding import SessionBind
from litterbox.agent.constraints import Constraints, parse_constraints
from litterbox.agent.private_keys import PrivateKey, is_on_security_key, parse_private_key
from litterbox.confirm.escaping import quoted

_EXTENSION: Final = 27
_SESSION_BIND: Final = b"session-bind@openssh.com"
_QUERY: Final = b"query"
_ON_SECURITY_KEY: Final = "a key on a security key (FIDO) stays with the client: Litterbox does not drive the device"

# RFC 9987 section 6.1; 1 to 9 and 24 are version 1's, long dead.
_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "request RSA identities (version 1)",
        3: "RSA challenge (version 1)",
        7: "add RSA identity (version 1)",
        8: "remove RSA identity (version 1)",
        9: "remove all RSA identities (version 1)",
        11: "list",
        13: "sign",
        17: "add",
        18: "remove",
        19: "remove all",
        20: "add smartcard key",
        21: "remove smartcard key",
        22: "lock",
        23: "unlock",
        24: "add constrained RSA identity (version 1)",
        25: "add",
        26: "add smartcard key",
        _EXTENSION: "extension",
    }
)


@attrs.frozen
class RequestIdentities:
    """List the keys (section 5.6)."""


@attrs.frozen
class SignRequest:
    """Sign `data` with the key whose public half is `key_blob` (section 5.7).

    `flags` is what the client sent, unknown bits included; they matter for RSA keys only.
    """

    key_blob: bytes
    data: bytes
    flags: int


@attrs.frozen
class AddIdentity:
    """Take a private key (section 5.2), to be used within `constraints`. `body` is the request's own bytes."""

    key: PrivateKey
    comment: bytes
    constraints: Constraints
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class RemoveIdentity:
    """Drop the key whose public half is `key_blob` (section 5.3)."""

    key_blob: bytes


@attrs.frozen
class RemoveAllIdentities:
    """Drop every key (section 5.3)."""


@attrs.frozen
class RemoveAllRsaIdentities:
    """Drop every key of protocol version 1, as `ssh-add -D` asks too; there never is one."""


@attrs.frozen
class Lock:
    """Refuse everything until the same passphrase unlocks (section 5.8)."""

    passphrase: bytes = attrs.field(repr=False)


@attrs.frozen
class Unlock:
    """Serve again (section 5.8)."""

    passphrase: bytes = attrs.field(repr=False)


@attrs.frozen
class Query:
    """Say which extensions there are (section 5.9.1)."""


@attrs.frozen
class Unsupported:
    """A request that this agent does not answer: its type byte, its name, and why, for the log."""

    number: int
    name: str
    reason: str = "not supported"


@attrs.frozen
class Malformed:
    """A request whose body does not parse: its type byte, its name, and what is wrong with it.

    `extension` tells that it was one of an extension that this agent knows.
    """

    number: int
    name: str
    reason: str
    extension: bool = False


Request = (
    RequestIdentities
    | SignRequest
    | AddIdentity
    | RemoveIdentity
    | RemoveAllIdentities
    | RemoveAllRsaIdentities
    | Lock
    | Unlock
    | Query
    | SessionBind
    | Unsupported
    | Malformed
)


def parse(number: int, body: bytes) -> Request:
    """The request of type `number` that `body` is; what does not parse is Malformed, what is unknown Unsupported."""
    read = _READERS.get(number)
    if read is None:
        return Unsupported(number, _NAMES.get(number, f"request {number}"))
    if read is _read_add and is_on_security_key(body):
        return Unsupported(number, _NAMES[number], _ON_SECURITY_KEY)
    try:
        return read(SSHPacket(body))
    except PacketDecodeError as error:
        return Malformed(number, _NAMES[number], str(error))


def _read_list(_body: SSHPacket) -> Request:
    return RequestIdentities()


def _read_sign(body: SSHPacket) -> Request:
    return SignRequest(body.get_string(), body.get_string(), body.get_uint32())


def _read_add(body: SSHPacket) -> Request:
    key = parse_private_key(body)
    comment = body.get_string().removesuffix(b"\0")
    if b"\0" in comment:  # OpenSSH keeps it as a C string
        raise PacketDecodeError("a comment that holds a NUL")
    return AddIdentity(key, comment, parse_constraints(body), body.get_full_payload())


def _read_remove(body: SSHPacket) -> Request:
    return RemoveIdentity(body.get_string())


def _read_remove_all(_body: SSHPacket) -> Request:
    return RemoveAllIdentities()


def _read_remove_all_rsa(_body: SSHPacket) -> Request:
    return RemoveAllRsaIdentities()


def _read_lock(body: SSHPacket) -> Request:
    passphrase = body.get_string()
    if not passphrase:
        raise PacketDecodeError("an empty passphrase")
    return Lock(passphrase)


def _read_unlock(body: SSHPacket) -> Request:
    return Unlock(body.get_string())


def _read_extension(body: SSHPacket) -> Request:
    name = body.get_string()
    if name == _QUERY:
        return Query()
    if name == _SESSION_BIND:
        try:
            return SessionBind(body.get_string(), body.get_string(), body.get_string(), body.get_boolean())
        except PacketDecodeError as error:
            return Malformed(_EXTENSION, _SESSION_BIND.decode(), str(error), extension=True)
    return Unsupported(_EXTENSION, f"extension {quoted(name.decode('utf-8', 'surrogateescape'))}")


# As in OpenSSH, bytes after the last field of a request are not looked at; after a key stand its constraints.
_READERS: Final[Mapping[int, Callable[[SSHPacket], Request]]] = MappingProxyType(
    {
        9: _read_remove_all_rsa,
        11: _read_list,
        13: _read_sign,
        17: _read_add,
        18: _read_remove,
        19: _read_remove_all,
        22: _read_lock,
        23: _read_unlock,
        25: _read_add,
        _EXTENSION: _read_extension,
    }
)
