"""A private key as `ssh-add` sends it (RFC 9987 section 5.2): reading its fields, and making a key of them.

Reading is sans-I/O and cheap: sizes are checked, and no arithmetic is done. Making a key of what was read may take
seconds, so that happens only after somebody agreed to it, and in a worker thread (added.py).
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
from asyncssh.packet import PacketDecodeError, SSHPacket, String, UInt32
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.agent import certificates, public_keys
from litterbox.errors import LitterboxError

_SECURITY_KEY: Final = b"sk-"  # what the types of keys on a FIDO device begin with


class BadKey(LitterboxError):
    """The agent cannot take this key; the sentence says why, for the log."""


@attrs.frozen
class _Layout:
    """How many fields a type's private key has, and which of them make its public half.

    `certified` is how many stand behind a certificate, which holds the public half: without what the certificate
    says already.
    """

    private: int
    public: tuple[int, ...]
    certified: int


_RSA = _Layout(6, (1, 0), 4)  # n e d iqmp p q; the public half is e n
_DSA = _Layout(5, (0, 1, 2, 3), 1)  # p q g y x
_ECDSA = _Layout(3, (0, 1), 1)  # curve Q d
_EDDSA = _Layout(2, (0,), 2)  # A, k ‖ A

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


def is_on_security_key(body: bytes) -> bool:
    """Say whether what is sent stands for a key whose private half never leaves a security key (FIDO)."""
    try:
        return SSHPacket(body).get_string().startswith(_SECURITY_KEY)
    except PacketDecodeError:
        return False


def parse_private_key(body: SSHPacket) -> PrivateKey:
    """Read one key, up to its comment. Raises PacketDecodeError, also where the type is not known."""
    kind = body.get_string()
    if kind.endswith(certificates.SUFFIX):
        return _parse_certified(kind, kind.removesuffix(certificates.SUFFIX), body)
    layout = _layout(kind)
    fields = _fields(body, layout.private)
    plain = String(kind) + b"".join(fields[index] for index in layout.public)
    return PrivateKey(kind, plain, plain, b"".join(fields))


def check_sizes(key: PrivateKey) -> None:
    """Raise BadKey for a key that OpenSSH would not use, as far as that can be seen without arithmetic."""
    if key.algorithm != b"ssh-rsa":
        return
    modulus, exponent, *others = _numbers(key)
    try:
        public_keys.check_rsa(exponent=exponent, modulus=modulus)
    except public_keys.BadPublicKey as error:
        raise BadKey(error.sentence) from None
    if any(len(number.lstrip(b"\0")) > len(modulus) for number in others):
        raise BadKey("The RSA key has a number that is larger than its modulus.")


def load(key: PrivateKey) -> asyncssh.SSHKey:
    """Make a key of the fields. Raises BadKey where it is none, its halves differ, or its certificate is not signed.

    Takes microseconds for most types; for RSA a quarter of a second at 16,384 bits, and some seconds where somebody
    made up the numbers for it.
    """
    check_sizes(key)
    # The form of a private key file that is not encrypted (OpenSSH's PROTOCOL.key) is what asyncssh reads.
    check = os.urandom(4)
    private = check + check + String(key.algorithm) + key.fields + String(b"")
    padding = bytes(range(1, 1 + -len(private) % 8))
    file = b"openssh-key-v1\0" + String("none") * 2 + String(b"") + UInt32(1) + String(b"") + String(private + padding)
    armored = (
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(file) + b"-----END OPENSSH PRIVATE KEY-----\n"
    )
    try:
        if key.public_blob != key.plain_blob:
            certificates.verify(certificates.read(key.public_blob))
        if key.algorithm == b"ssh-rsa":
            _check_rsa(key)
        # OpenSSL's own checks of an RSA key take 45 s at 16,384 bits; a signature that verifies says enough.
        loaded = asyncssh.import_private_key(armored, unsafe_skip_rsa_key_validation=True)
        _check_halves(loaded, key)
    except certificates.BadCertificate as error:
        raise BadKey(error.sentence) from None
    except (ValueError, UnsupportedAlgorithm, OverflowError):
        raise BadKey("The private key is not a key, or does not belong to its public half.") from None
    return loaded


def fingerprint(public_blob: bytes) -> str:
    """The SHA-256 of a public key, as `ssh-keygen -l` prints it; of a certificate, that of the key it certifies."""
    if certificates.is_certificate(public_blob):
        with suppress(certificates.BadCertificate):  # of something that is none, the hash of its bytes
            public_blob = certificates.read(public_blob).plain_key
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
        plain = certificates.read(certificate).plain_key
    except certificates.BadCertificate as error:
        raise PacketDecodeError(error.sentence) from None
    public = _fields(SSHPacket(plain), 1 + len(layout.public))[1:]
    # What the layout has in front of the certified fields comes from the certificate; for RSA, in the other order.
    missing = layout.private - layout.certified
    front = public[::-1][:missing] if layout is _RSA else public[:missing]
    return PrivateKey(algorithm, certificate, plain, b"".join(front + fields))


def _layout(algorithm: bytes) -> _Layout:
    layout = _LAYOUTS.get(algorithm)
    if layout is None:
        raise PacketDecodeError("a key of a type that is not known")
    return layout


def _fields(body: SSHPacket, count: int) -> list[bytes]:
    return [String(body.get_string()) for _ in range(count)]


def _numbers(key: PrivateKey) -> list[bytes]:
    """The fields of a key all of whose fields are numbers, big-endian."""
    return [field[4:] for field in _fields(SSHPacket(key.fields), _LAYOUTS[key.algorithm].private)]


def _check_rsa(key: PrivateKey) -> None:
    """Raise ValueError where the numbers do not fit together: OpenSSL would work on them for seconds."""
    n, e, d, _iqmp, p, q = (int.from_bytes(number, "big") for number in _numbers(key))
    if min(p, q) < 3 or p * q != n or any(e * d % (prime - 1) != 1 for prime in (p, q)):
        raise ValueError("numbers of different RSA keys")


def _check_halves(key: asyncssh.SSHKey, sent: PrivateKey) -> None:
    """Raise ValueError where the private half does not belong to the public one."""
    if key.public_data != sent.plain_blob:
        raise ValueError("another public key")
    if _LAYOUTS[sent.algorithm] is _EDDSA:
        public, private = _fields(SSHPacket(sent.fields), 2)
        if not private.endswith(public[4:]):  # asyncssh does not look at the copy behind the seed
            raise ValueError("another public key behind the seed")
    if not key.convert_to_public().verify(b"", key.sign(b"", key.sig_algorithms[0])):
        raise ValueError("the private half is another key's")
