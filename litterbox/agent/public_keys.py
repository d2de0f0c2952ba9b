"""Public keys by their values: blobs that mean the same key have the same canonical blob (RFC 4253 section 6.6)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from asyncssh.packet import MPInt, PacketDecodeError, SSHPacket, String

# How many strings or numbers stand behind the type of a key.
_FIELDS: Final[Mapping[bytes, int]] = MappingProxyType(
    {
        b"ssh-rsa": 2,
        b"ssh-dss": 4,
        b"ecdsa-sha2-nistp256": 2,
        b"ecdsa-sha2-nistp384": 2,
        b"ecdsa-sha2-nistp521": 2,
        b"ecdsa-sha2-1.3.132.0.10": 2,
        b"ssh-ed25519": 1,
        b"ssh-ed448": 1,
        b"sk-ecdsa-sha2-nistp256@openssh.com": 3,
        b"sk-ssh-ed25519@openssh.com": 2,
    }
)
_NUMBERS: Final = frozenset({b"ssh-rsa", b"ssh-dss"})  # types whose fields are numbers; OpenSSH skips zeros before one


def canonical(blob: bytes) -> bytes:
    """The blob in its shortest form; as it is where its type is not known. Raises PacketDecodeError."""
    packet = SSHPacket(blob)
    kind = packet.get_string()
    if kind not in _FIELDS:
        return blob
    key = read(kind, packet)
    packet.check_end()
    return key


def read(kind: bytes, packet: SSHPacket) -> bytes:
    """The canonical blob of a key of type `kind`, whose fields are the next of `packet`. Raises PacketDecodeError."""
    count = _FIELDS.get(kind)
    if count is None:
        raise PacketDecodeError("a key of a type that is not known")
    fields = [packet.get_string() for _ in range(count)]
    if kind in _NUMBERS:
        return String(kind) + b"".join(MPInt(int.from_bytes(field, "big")) for field in fields)
    return String(kind) + b"".join(map(String, fields))
