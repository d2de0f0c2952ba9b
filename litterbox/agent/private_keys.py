"""A private key as `ssh-add` sends it (RFC 9987 section 5.2): reading its fields, and making a key of them.

Reading is sans-I/O and cheap; what the fields hold is checked only when a key is made of them.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

import asyncssh
import attrs
from asyncssh.packet import Byte, PacketDecodeError, SSHPacket, String, UInt32
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.agent import certificates
from litterbox.errors import LitterboxError

_SMALLEST_RSA: Final = 1024  # bits: OpenSSH's SSH_RSA_MINIMUM_MODULUS_SIZE
_LARGEST_RSA: Final = 16384  # bits: OPENSSL_RSA_MAX_MODULUS_BITS


class BadKey(LitterboxError):
    """The agent cannot take this key; the sentence says why, for the log."""


@attrs.frozen
class _Layout:
    """How a type's private key is laid out: "s" a string, "b" a byte; which of the fields make its public half.

    `certified` is the layout behind a certificate, which holds the public half: without what the certificate
    says already.
    """

    private: str
    public: tuple[int, ...]
    certified: str


_RSA = _Layout("ssssss", (1, 0), "ssss")  # n e d iqmp p q; the public half is e n
_DSA = _Layout("sssss", (0, 1, 2, 3), "s")  # p q g y x
_ECDSA = _Layout("sss", (0, 1), "s")  # curve Q d
_EDDSA = _Layout("ss", (0,), "ss")  # A, k ‖ A
_SK_ECDSA = _Layout("sssbss", (0, 1, 2), "sbss")  # curve Q application flags handle reserved
_SK_ED25519 = _Layout("ssbss", (0, 1), "ssbss")  # A application flags handle reserved

_LAYOUTS: Final[Mapping[bytes, _Layout]] = MappingProxyType(
    {
        b"ssh-rsa": _RSA,
        b"ssh-dss": _DSA,
        b"ecdsa-sha2-nistp256": _ECDSA,
        b"ecdsa-sha2-nistp384": _ECDSA,
        b"ecdsa-sha2-nistp521": _ECDSA,
        b"ecdsa-sha2-1.3.132.0.10": _ECDSA,
        b"ssh-ed25519": _EDDSA,
        b"ssh-ed448": _EDDSA,
        b"sk-ecdsa-sha2-nistp256@openssh.com": _SK_ECDSA,
        b"sk-ssh-ed25519@openssh.com": _SK_ED25519,
    }
)


@attrs.frozen
class PrivateKey:
    """A key that was sent: `algorithm` is its plain type, `fields` its private half in that type's layout.

    `public_blob` is what the agent lists: the certificate where there is one, else the plain public key.
    """

    algorithm: bytes
    public_blob: bytes
    plain_blob: bytes = attrs.field(repr=False)
    fields: bytes = attrs.field(repr=False)

    @property
    def on_device(self) -> bool:
        """Whether the private half never leaves a security key (FIDO)."""
        return self.algorithm.startswith(b"sk-")


def parse_private_key(body: SSHPacket) -> PrivateKey:
    """Read one key, up to its comment. Raises PacketDecodeError, also where the type is not known."""
    kind = body.get_string()
    algorithm = kind.removesuffix(certificates.SUFFIX) + (b"@openssh.com" if kind.startswith(b"sk-") else b"")
    if kind.endswith(certificates.SUFFIX):
        return _parse_certified(kind, algorithm, body)
    layout = _layout(kind)
    fields = _fields(body, layout.private)
    plain = String(kind) + b"".join(fields[index] for index in layout.public)
    return PrivateKey(kind, plain, plain, b"".join(fields))


def load(key: PrivateKey) -> asyncssh.SSHKey | None:
    """Make a key of the fields; None where it is on a device. Raises BadKey where it is none, or the halves differ."""
    if key.on_device:
        return None
    # The form of a private key file that is not encrypted (OpenSSH's PROTOCOL.key) is what asyncssh reads.
    check = os.urandom(4)
    private = check + check + String(key.algorithm) + key.fields + String(b"")
    padding = bytes(range(1, 1 + -len(private) % 8))
    file = b"openssh-key-v1\0" + String("none") * 2 + String(b"") + UInt32(1) + String(b"") + String(private + padding)
    armored = (
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(file) + b"-----END OPENSSH PRIVATE KEY-----\n"
    )
    try:
        # OpenSSL's own checks of an RSA key take 100 ms; a signature that verifies says enough of a client's key.
        loaded = asyncssh.import_private_key(armored, unsafe_skip_rsa_key_validation=True)
        _check_halves(loaded, key)
    except (ValueError, UnsupportedAlgorithm, OverflowError):
        raise BadKey("The private key is not a key, or does not belong to its public half.") from None
    return loaded


def fingerprint(public_blob: bytes) -> str:
    """The SHA-256 of a public key, as `ssh-keygen -l` prints it; of a certificate, that of the key it certifies."""
    if certificates.is_certificate(public_blob):
        with suppress(certificates.BadCertificate):  # of something that is none, the hash of its bytes
            public_blob = certificates.decode(public_blob).key.public_data
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob).digest()).decode("ascii").rstrip("=")


def algorithm_name(public_blob: bytes) -> str:
    """The type that a public blob says it has, "ssh-ed25519"; "unknown" where it says none."""
    try:
        return SSHPacket(public_blob).get_string().decode("ascii")
    except (PacketDecodeError, UnicodeDecodeError):
        return "unknown"


def _parse_certified(kind: bytes, algorithm: bytes, body: SSHPacket) -> PrivateKey:
    layout = _layout(algorithm)
    certificate = body.get_string()
    fields = _fields(body, layout.certified)
    if not certificate.startswith(String(kind)):
        raise PacketDecodeError("the certificate is of another type than the key")
    try:
        plain = certificates.decode(certificate).key.public_data
    except certificates.BadCertificate as error:
        raise PacketDecodeError(error.sentence) from None
    public = _fields(SSHPacket(plain), "s" * (1 + len(layout.public)))[1:]
    # What the layout has in front of the certified fields comes from the certificate; for RSA, in the other order.
    missing = len(layout.private) - len(layout.certified)
    front = public[::-1][:missing] if layout is _RSA else public[:missing]
    return PrivateKey(algorithm, certificate, plain, b"".join(front + fields))


def _layout(algorithm: bytes) -> _Layout:
    layout = _LAYOUTS.get(algorithm)
    if layout is None:
        raise PacketDecodeError("a key of a type that is not known")
    return layout


def _fields(body: SSHPacket, layout: str) -> list[bytes]:
    return [String(body.get_string()) if field == "s" else Byte(body.get_byte()) for field in layout]


def _check_halves(key: asyncssh.SSHKey, sent: PrivateKey) -> None:
    """Raise ValueError where the private half does not belong to the public one, or is one that OpenSSH refuses."""
    if key.public_data != sent.plain_blob:
        raise ValueError("another public key")
    if _LAYOUTS[sent.algorithm] is _EDDSA:
        public, private = _fields(SSHPacket(sent.fields), "ss")
        if not private.endswith(public[4:]):  # asyncssh does not look at the copy behind the seed
            raise ValueError("another public key behind the seed")
    if sent.algorithm == b"ssh-rsa":
        bits = int.from_bytes(_fields(SSHPacket(sent.plain_blob), "sss")[2][4:], "big").bit_length()
        if not _SMALLEST_RSA <= bits <= _LARGEST_RSA:
            raise ValueError(f"an RSA key of {bits} bits")
    if not key.convert_to_public().verify(b"", key.sign(b"", key.sig_algorithms[0])):
        raise ValueError("the private half is another key's")
