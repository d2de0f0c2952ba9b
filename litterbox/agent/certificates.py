"""OpenSSH certificates (its PROTOCOL.certkeys): reading them, and which hosts an authority certifies a key for."""

from typing import Final

from asyncssh.packet import PacketDecodeError, SSHPacket
from asyncssh.pattern import WildcardPattern
from asyncssh.public_key import CERT_TYPE_HOST, SSHCertificate, SSHOpenSSHCertificate, decode_ssh_certificate
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.errors import LitterboxError

SUFFIX: Final = b"-cert-v01@openssh.com"
_WEAK: Final = frozenset({b"ssh-rsa", b"ssh-dss"})  # SHA-1: no signature of an authority, as in OpenSSH


class BadCertificate(LitterboxError):
    """These bytes are not a certificate, or none that its authority signed."""


def is_certificate(blob: bytes) -> bool:
    """Say whether a public blob's type is that of a certificate."""
    try:
        return SSHPacket(blob).get_string().endswith(SUFFIX)
    except PacketDecodeError:
        return False


def decode(blob: bytes) -> SSHOpenSSHCertificate:
    """Read a certificate, its authority's signature checked. Raises BadCertificate."""
    try:
        certificate: SSHCertificate = decode_ssh_certificate(blob)
    except (ValueError, UnsupportedAlgorithm, OverflowError) as error:
        raise BadCertificate(f"The certificate is not valid: {error}.") from None
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
    """The signature is the last of the certificate's fields; the algorithm is the first of the signature's."""
    blob = certificate.public_data
    signing_key = certificate.signing_key.public_data
    signature = blob[blob.rindex(signing_key) + len(signing_key) + 4 :]
    return SSHPacket(signature).get_string() in _WEAK
