"""Public keys as they travel (RFC 4253 section 6.6): their types, their shortest form, and making a key of them.

A blob may come from a box, and some keys cost much more than others. So the sizes of RSA are bounded before any
arithmetic is done with them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from asyncssh.packet import MPInt, PacketDecodeError, SSHPacket, String
from asyncssh.public_key import SSHKey, decode_ssh_public_key
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.errors import LitterboxError

MIN_RSA_BITS: Final = 1024  # OpenSSH's SSH_RSA_MINIMUM_MODULUS_SIZE
MAX_RSA_BITS: Final = 16384  # OPENSSL_RSA_MAX_MODULUS_BITS
MAX_RSA_EXPONENT_BITS: Final = 64  # OPENSSL_RSA_MAX_PUBEXP_BITS; OpenSSL itself ignores it below 3,073 bits

# How many strings or numbers stand behind the type of a key.
FIELDS: Final[Mapping[bytes, int]] = MappingProxyType(
    {
        b"ssh-rsa": 2,  # e n
        b"ssh-dss": 4,  # p q g y
        b"ecdsa-sha2-nistp256": 2,  # curve Q
        b"ecdsa-sha2-nistp384": 2,
        b"ecdsa-sha2-nistp521": 2,
        b"ecdsa-sha2-1.3.132.0.10": 2,
        b"ssh-ed25519": 1,
        b"ssh-ed448": 1,
        b"sk-ecdsa-sha2-nistp256@openssh.com": 3,  # curve Q application
        b"sk-ssh-ed25519@openssh.com": 2,  # A application
    }
)
_NUMBERS: Final = frozenset({b"ssh-rsa", b"ssh-dss"})  # types whose fields are numbers; OpenSSH skips zeros before one


class BadPublicKey(LitterboxError):
    """These bytes are not a public key, or not one that OpenSSH would use."""


def canonical(blob: bytes) -> bytes:
    """The blob in its shortest form; as it is where its type is not known. Raises PacketDecodeError.

    Blobs that mean the same key have the same shortest form.
    """
    packet = SSHPacket(blob)
    kind = packet.get_string()
    if kind not in FIELDS:
        return blob
    key = read(kind, packet)
    packet.check_end()
    return key


def read(kind: bytes, packet: SSHPacket) -> bytes:
    """The canonical blob of a key of type `kind`, whose fields are the next of `packet`. Raises PacketDecodeError."""
    count = FIELDS.get(kind)
    if count is None:
        raise PacketDecodeError("a key of a type that is not known")
    fields = [packet.get_string() for _ in range(count)]
    if kind in _NUMBERS:
        return String(kind) + b"".join(MPInt(int.from_bytes(field, "big")) for field in fields)
    return String(kind) + b"".join(map(String, fields))


def decode(blob: bytes) -> SSHKey:
    """The key; its `public_data` is the canonical blob. Raises BadPublicKey."""
    try:
        packet = SSHPacket(blob)
        kind = packet.get_string()
        read(kind, packet)
        packet.check_end()
        if kind == b"ssh-rsa":
            packet = SSHPacket(blob)
            packet.get_string()
            check_rsa(exponent=packet.get_string(), modulus=packet.get_string())
    except PacketDecodeError as error:
        raise BadPublicKey(f"The public key is not valid: {error}.") from None
    try:
        return decode_ssh_public_key(blob)
    except (ValueError, UnsupportedAlgorithm, OverflowError):  # their texts may quote the blob
        raise BadPublicKey("The public key is not valid.") from None


def check_rsa(*, exponent: bytes, modulus: bytes) -> None:
    """Raise BadPublicKey for an RSA key that OpenSSH or OpenSSL would not use. The numbers are big-endian."""
    bits = int.from_bytes(modulus, "big").bit_length()
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise BadPublicKey(f"An RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits, and this one {bits}.")
    bits = int.from_bytes(exponent, "big").bit_length()
    if bits > MAX_RSA_EXPONENT_BITS:
        raise BadPublicKey(f"An RSA key's exponent has at most {MAX_RSA_EXPONENT_BITS} bits, and this one {bits}.")
