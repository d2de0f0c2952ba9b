"""User and host certificates made by hand, as hostile as a test wants them."""

from collections.abc import Sequence

import asyncssh
from asyncssh.packet import SSHPacket, String, UInt32, UInt64

USER_CERTIFICATE, HOST_CERTIFICATE = 1, 2
AUTHORITY = asyncssh.generate_private_key("ssh-ed25519")


def certificate(
    key: bytes,
    *,
    kind: int = 1,
    key_id: str | bytes = "me",
    principals: tuple[str | bytes, ...] = ("git",),
    options: bytes = b"",
    authority: asyncssh.SSHKey = AUTHORITY,
) -> bytes:
    """A certificate of the public blob `key`, of `kind` 1 for a user and 2 for a host, signed by `authority`."""
    packet = SSHPacket(key)
    name = packet.get_string() + b"-cert-v01@openssh.com"
    body = String(name) + String(b"n" * 32) + packet.get_remaining_payload()
    body += UInt64(1) + UInt32(kind) + String(key_id) + String(b"".join(map(String, principals)))
    body += UInt64(0) + UInt64(2**64 - 1) + String(options) + String(b"") * 2 + String(authority.public_data)
    return body + String(authority.sign(body, authority.sig_algorithms[0]))


def make_certificate(
    key: asyncssh.SSHKey,
    authority: asyncssh.SSHKey,
    *,
    role: int = USER_CERTIFICATE,
    principals: Sequence[str | bytes] = (),
    critical: Sequence[str] = (),
    tail: bytes = b"",
) -> bytes:
    """A certificate with each name in `critical` as a critical option without a value, and `tail` behind the last."""
    options = b"".join(String(name) + String(b"") for name in critical) + tail
    return certificate(
        key.public_data, kind=role, principals=tuple(principals), options=options, authority=authority, key_id="mine"
    )
