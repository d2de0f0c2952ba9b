"""Public keys as they travel (RFC 4253 section 6.6): their types, their fields, and making a key of them.

A blob may come from a box, and some keys cost much more than others. So the sizes of RSA are bounded before any
arithmetic is done with them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from asyncssh.packet import PacketDecodeError, SSHPacket
from asyncssh.public_key import SSHKey, decode_ssh_public_key
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.errors import LitterboxError

MIN_RSA_BITS: Final = 1024  # OpenSSH's SSH_RSA_MINIMUM_MODULUS_SIZE
MAX_RSA_BITS: Final = 16384  # OPENSSL_RSA_MAX_MODULUS_BITS
MAX_RSA_EXPONENT_BITS: Final = 64  # OPENSSL_RSA_MAX_PUBEXP_BITS; OpenSSL itself ignores it below 3,073 bits

# How many fields each type has behind its name.
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


class BadPublicKey(LitterboxError):
    """These bytes are not a public key, or not one that OpenSSH would use."""


def split(blob: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The type of a public key and its fields, which are not looked into. Raises PacketDecodeError."""
    packet = SSHPacket(blob)
    algorithm = packet.get_string()
    if algorithm not in FIELDS:
        raise PacketDecodeError("a public key of a type that is not known")
    fields = tuple(packet.get_string() for _ in range(FIELDS[algorithm]))
    packet.check_end()
    return algorithm, fields


def decode(blob: bytes) -> SSHKey:
    """The key; its `public_data` is the blob as OpenSSH would write it. Raises BadPublicKey."""
    try:
        algorithm, fields = split(blob)
    except PacketDecodeError as error:
        raise BadPublicKey(f"The public key is not valid: {error}.") from None
    if algorithm == b"ssh-rsa":
        check_rsa(exponent=fields[0], modulus=fields[1])
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
        raise BadPublicKey(
            f"The public exponent of an RSA key has at most {MAX_RSA_EXPONENT_BITS} bits, and this one {bits}."
        )
