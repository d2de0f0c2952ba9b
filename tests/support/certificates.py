"""Certificates as OpenSSH writes them, with what asyncssh would not put into one."""

from collections.abc import Sequence

import asyncssh
from asyncssh.packet import String, UInt32, UInt64

USER_CERTIFICATE, HOST_CERTIFICATE = 1, 2


def make_certificate(
    key: asyncssh.SSHKey,
    authority: asyncssh.SSHKey,
    *,
    role: int = USER_CERTIFICATE,
    principals: Sequence[str | bytes] = (),
    critical: Sequence[str] = (),
    tail: bytes = b"",
) -> bytes:
    """The public blob of a certificate (OpenSSH's PROTOCOL.certkeys) that is good for ever.

    Each name in `critical` is a critical option without a value; `tail` is appended to their list as it is.
    """
    content = b"".join(
        (
            String(key.algorithm + b"-cert-v01@openssh.com"),
            String(b"nonce"),
            key.convert_to_public().encode_ssh_public(),
            UInt64(7),
            UInt32(role),
            String("mine"),
            String(b"".join(map(String, principals))),
            UInt64(0),
            UInt64(2**64 - 1),
            String(b"".join(String(name) + String(b"") for name in critical) + tail),
            String(b""),
            String(b""),
            String(authority.public_data),
        )
    )
    return content + String(authority.sign(content, authority.sig_algorithms[0]))
