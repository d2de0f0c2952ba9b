"""OpenSSH certificates (its PROTOCOL.certkeys): reading them, and which hosts an authority certifies a key for.

Reading costs little. To verify the authority's signature may cost milliseconds, so nobody does it before it matters.
As in OpenSSH, a certificate whose critical options are not known is still a certificate: who relies on it refuses it.
"""

import time
from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.agent import patterns, public_keys
from litterbox.errors import LitterboxError

SUFFIX: Final = b"-cert-v01@openssh.com"
MAX_PRINCIPALS: Final = 256  # OpenSSH's SSHKEY_CERT_MAX_PRINCIPALS
MAX_OPTIONS: Final = 256  # critical ones, and extensions; OpenSSH knows fewer than ten, and each costs microseconds
MAX_WILDCARDS: Final = 4  # of the principals of a host; with more, none of them counts
USER, HOST = 1, 2  # SSH_CERT_TYPE_USER and SSH_CERT_TYPE_HOST: whom a certificate is for
_WEAK: Final = frozenset({b"ssh-rsa", b"ssh-dss"})  # SHA-1: no signature of an authority, as in OpenSSH


class BadCertificate(LitterboxError):
    """These bytes are not a certificate, or none that its authority signed."""


@attrs.frozen
class Certificate:
    """What a certificate says, whoever signed it: `plain_key` belongs to `principals`, by the word of `authority`.

    `public_data` is the certificate itself. The two keys are public blobs in their canonical form. `kind` is USER,
    HOST, or a number that means nothing. `key_id` is the name that the authority gave it; bytes of a text that are not
    UTF-8 are surrogates (PEP 383). The dates are in seconds since 1970. `signature` is the authority's, over `signed`:
    an SSH string of its algorithm, and one of the signature itself. Nothing of it is true before `verify`.
    """

    public_data: bytes = attrs.field(repr=False)
    plain_key: bytes = attrs.field(repr=False)
    kind: int
    key_id: str
    principals: tuple[str, ...]
    valid_after: int
    valid_before: int
    critical_options: tuple[bytes, ...]
    authority: bytes = attrs.field(repr=False)
    signed: bytes = attrs.field(repr=False)
    signature: bytes = attrs.field(repr=False)
    signature_algorithm: bytes


def is_certificate(blob: bytes) -> bool:
    """Say whether a public blob's type is that of a certificate."""
    try:
        return SSHPacket(blob).get_string().endswith(SUFFIX)
    except PacketDecodeError:
        return False


def read(blob: bytes) -> Certificate:
    """Read a certificate; its signature is not verified. Raises BadCertificate."""
    try:
        return _read(blob)
    except PacketDecodeError as error:
        raise BadCertificate(f"The certificate is not valid: {error}.") from None


def verify(certificate: Certificate) -> None:
    """Raise BadCertificate where the authority did not sign it, one of the two keys is none, or it is for nobody.

    This may take milliseconds.
    """
    if certificate.kind not in (USER, HOST):
        raise BadCertificate("The certificate is for neither a user nor a host.")
    try:
        public_keys.decode(certificate.plain_key)
        authority = public_keys.decode(certificate.authority)
        signed = authority.verify(certificate.signed, certificate.signature)
    except public_keys.BadPublicKey as error:
        raise BadCertificate(error.sentence) from None
    except (ValueError, UnsupportedAlgorithm, OverflowError):
        signed = False
    if not signed:
        raise BadCertificate("The certificate's authority did not sign it.")


def decode(blob: bytes) -> Certificate:
    """Read a certificate and verify it. Raises BadCertificate."""
    certificate = read(blob)
    verify(certificate)
    return certificate


def is_good_for_a_host(certificate: Certificate) -> bool:
    """Say whether it certifies some host now, apart from who signed it and which host that is.

    As in OpenSSH, no critical option is known for hosts, so one of them makes it useless.
    """
    return (
        certificate.kind == HOST
        and certificate.valid_after <= time.time() < certificate.valid_before
        and not certificate.critical_options
        and certificate.signature_algorithm not in _WEAK
    )


def certifies(certificate: Certificate, authority: bytes, host: str) -> bool:
    """Say whether `authority`, a public blob, vouches now that a verified certificate's key is that of `host`.

    A certificate without principals is good for any host in OpenSSH; here it is good for none.
    """
    if certificate.authority != authority or not is_good_for_a_host(certificate):
        return False
    if host in certificate.principals:
        return True
    wildcards = [principal for principal in certificate.principals if patterns.is_pattern(principal)]
    return len(wildcards) <= MAX_WILDCARDS and any(patterns.fits(host, wildcard) for wildcard in wildcards)


def _read(blob: bytes) -> Certificate:
    packet = SSHPacket(blob)
    name = packet.get_string()
    if not name.endswith(SUFFIX):
        raise PacketDecodeError("a certificate of a type that is not known")
    packet.get_string()  # the authority's nonce
    plain = name.removesuffix(SUFFIX) + (b"@openssh.com" if name.startswith(b"sk-") else b"")
    plain_key = public_keys.read(plain, packet)
    packet.get_uint64()  # the serial number
    kind = packet.get_uint32()
    key_id = packet.get_string()
    principals = _strings(packet.get_string(), MAX_PRINCIPALS, "principals")
    valid_after, valid_before = packet.get_uint64(), packet.get_uint64()
    options, extensions = (_strings(packet.get_string(), 2 * MAX_OPTIONS, "options") for _ in range(2))
    if len(options) % 2 or len(extensions) % 2:
        raise PacketDecodeError("an option without a value")
    packet.get_string()  # reserved
    authority = public_keys.canonical(packet.get_string())
    signed = packet.get_consumed_payload()
    signature = packet.get_string()
    packet.check_end()
    return Certificate(
        public_data=blob,
        plain_key=plain_key,
        kind=kind,
        key_id=_text(key_id),
        principals=tuple(map(_text, principals)),
        valid_after=valid_after,
        valid_before=valid_before,
        critical_options=tuple(options[::2]),
        authority=authority,
        signed=signed,
        signature=signature,
        signature_algorithm=SSHPacket(signature).get_string(),
    )


def _strings(content: bytes, most: int, what: str) -> list[bytes]:
    packet = SSHPacket(content)
    strings: list[bytes] = []
    while packet:
        if len(strings) >= most:
            raise PacketDecodeError(f"too many {what}")
        strings.append(packet.get_string())
    return strings


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
