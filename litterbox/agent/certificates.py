"""OpenSSH certificates (its PROTOCOL.certkeys): reading them, and which hosts an authority certifies a key for."""

from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket
from asyncssh.pattern import WildcardPattern
from asyncssh.public_key import CERT_TYPE_HOST, SSHCertificate, SSHOpenSSHCertificate, decode_ssh_certificate
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.agent import public_keys
from litterbox.confirm.visible import LONGEST_VALUE, quoted
from litterbox.errors import LitterboxError

SUFFIX: Final = b"-cert-v01@openssh.com"
_WEAK: Final = frozenset({b"ssh-rsa", b"ssh-dss"})  # SHA-1: no signature of an authority, as in OpenSSH

_MAX_PRINCIPALS: Final = 256  # as OpenSSH's SSHKEY_CERT_MAX_PRINCIPALS

USER: Final = 1  # the type of a certificate for logins


@attrs.frozen
class Statement:
    """What a certificate says, whoever signed it: `plain_key` belongs to `principals`, by the word of `authority`.

    The keys are public blobs, `plain_key` in its canonical form; `kind` is USER, 2 for a host's, or a number that
    means nothing. `signature` is the authority's: an SSH string of its algorithm, and one of the signature itself.
    """

    plain_key: bytes
    kind: int
    key_id: str
    principals: tuple[str, ...]
    authority: bytes
    signature: bytes = attrs.field(repr=False)


class BadCertificate(LitterboxError):
    """These bytes are not a certificate, or none that its authority signed."""


def is_certificate(blob: bytes) -> bool:
    """Say whether a public blob's type is that of a certificate."""
    try:
        return SSHPacket(blob).get_string().endswith(SUFFIX)
    except PacketDecodeError:
        return False


def read(blob: bytes) -> Statement:
    """Read what a certificate says, and check nothing of it: this costs no cryptography. Raises PacketDecodeError.

    Bytes of its texts that are not UTF-8 become surrogates (PEP 383).
    """
    packet = SSHPacket(blob)
    kind = packet.get_string()
    plain = kind.removesuffix(SUFFIX) + (b"@openssh.com" if kind.startswith(b"sk-") else b"")
    packet.get_string()  # nonce
    key = public_keys.read(plain, packet)
    packet.get_uint64()  # serial number
    type_, key_id = packet.get_uint32(), packet.get_string()
    listed = SSHPacket(packet.get_string())
    principals: list[str] = []
    while listed:
        if len(principals) >= _MAX_PRINCIPALS:
            raise PacketDecodeError("a certificate for too many principals")
        principals.append(_text(listed.get_string()))
    packet.get_uint64(), packet.get_uint64()  # valid after, valid before
    packet.get_string(), packet.get_string(), packet.get_string()  # critical options, extensions, reserved
    authority, signature = packet.get_string(), packet.get_string()
    packet.check_end()
    return Statement(key, type_, _text(key_id), tuple(principals), authority, signature)


def decode(blob: bytes) -> SSHOpenSSHCertificate:
    """Read a certificate, its authority's signature checked. Raises BadCertificate."""
    try:
        certificate: SSHCertificate = decode_ssh_certificate(blob)
    except (ValueError, UnsupportedAlgorithm, OverflowError) as error:
        why = quoted(str(error), longest=LONGEST_VALUE)  # asyncssh's words, which may repeat the certificate's
        raise BadCertificate(f"The certificate is not valid: {why}.") from None
    if not isinstance(certificate, SSHOpenSSHCertificate):
        raise BadCertificate("The certificate is not of OpenSSH's kind.")
    return certificate


def certifies(certificate: SSHOpenSSHCertificate, authority: bytes, host: str) -> bool:
    """Say whether `authority`, a public blob, vouches now that the certificate's key is that of `host`.

    A certificate without principals is good for any host in OpenSSH; here it is good for none.
    """
    if certificate.signing_key.public_data != authority or _signed_weakly(certificate):
        return False
    try:
        certificate.validate(CERT_TYPE_HOST, None)
    except ValueError:
        return False
    return any(WildcardPattern(principal).matches(host) for principal in certificate.principals)


def _signed_weakly(certificate: SSHOpenSSHCertificate) -> bool:
    """Whether the authority signed with SHA-1, or in a way that cannot be told."""
    try:
        return SSHPacket(read(certificate.public_data).signature).get_string() in _WEAK
    except PacketDecodeError:
        return True


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
