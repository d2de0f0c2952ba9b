"""What a signature is for, as far as the bytes to be signed tell: a pure function, strict, for hostile input.

It knows nothing of connections and hosts: what the data alone proves is here, what a session binding adds is
not.
"""

from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket

_USERAUTH_REQUEST: Final = 50  # SSH_MSG_USERAUTH_REQUEST (RFC 4252 section 6)
_SESSION_ID_LENGTHS: Final = frozenset({20, 32, 48, 64})  # a session id is a key exchange's hash (RFC 4253 section 7.2)
_PLAIN: Final = b"publickey"
_HOSTBOUND: Final = b"publickey-hostbound-v00@openssh.com"
_MAGIC: Final = b"SSHSIG"
_HASH_LENGTHS: Final = {b"sha256": 32, b"sha512": 64}  # the two that PROTOCOL.sshsig allows


@attrs.frozen
class Login:
    """A public-key login (RFC 4252 section 7) with the key that is to sign it.

    `host_key` is the server's public blob where the request is OpenSSH's hostbound kind (PROTOCOL, section
    3.1): a server with another host key does not accept the signature. Otherwise it is None, and any server
    may.
    """

    session_id: bytes
    user: str
    algorithm: str
    host_key: bytes | None


@attrs.frozen
class Sshsig:
    """A signature over a file, a git commit or the like (PROTOCOL.sshsig): no server takes it for a login."""

    namespace: str
    hash_algorithm: str


@attrs.frozen
class Unrecognised:
    """Neither of the two, or not quite: data that is not an SSH login."""


Purpose = Login | Sshsig | Unrecognised


def purpose(data: bytes, key_blob: bytes) -> Purpose:
    """Say what `data` is, whole; `key_blob` is the key asked to sign it. Never raises."""
    try:
        return _sshsig(data) if data.startswith(_MAGIC) else _login(data, key_blob)
    except (PacketDecodeError, UnicodeDecodeError):
        return Unrecognised()


def _sshsig(data: bytes) -> Purpose:
    packet = SSHPacket(data[len(_MAGIC) :])
    namespace = packet.get_string().decode()
    packet.get_string()  # reserved: a verifier ignores it, so anything may stand here
    hash_algorithm = packet.get_string()
    digest = packet.get_string()
    packet.check_end()
    if not namespace or len(digest) != _HASH_LENGTHS.get(hash_algorithm):
        return Unrecognised()
    return Sshsig(namespace, hash_algorithm.decode())


def _login(data: bytes, key_blob: bytes) -> Purpose:
    packet = SSHPacket(data)
    session_id = packet.get_string()
    number = packet.get_byte()
    user = packet.get_string().decode()
    service = packet.get_string()
    method = packet.get_string()
    signed = packet.get_byte()
    algorithm = packet.get_string().decode("ascii")
    key = packet.get_string()
    host_key = packet.get_string() if method == _HOSTBOUND else None
    packet.check_end()
    recognised = (
        len(session_id) in _SESSION_ID_LENGTHS
        and number == _USERAUTH_REQUEST
        and service == b"ssh-connection"
        and method in (_PLAIN, _HOSTBOUND)
        and signed == 1
        and key == key_blob
    )
    return Login(session_id, user, algorithm, host_key) if recognised else Unrecognised()
