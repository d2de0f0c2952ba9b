"""What a signature is for: a pure function of hostile data to be signed and of the connection's bindings."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket

from litterbox.agent.binding import Binding
from litterbox.agent.private_keys import algorithm_name

_USERAUTH_REQUEST: Final = 50  # SSH_MSG_USERAUTH_REQUEST (RFC 4252 section 6)
_SESSION_ID_LENGTHS: Final = frozenset({20, 32, 48, 64})  # a session id is a key exchange's hash (RFC 4253 section 7.2)
_PLAIN: Final = b"publickey"
_HOSTBOUND: Final = b"publickey-hostbound-v00@openssh.com"
_MAGIC: Final = b"SSHSIG"
_HASH_LENGTHS: Final = {b"sha256": 32, b"sha512": 64}  # the two that PROTOCOL.sshsig allows

# The names that a login may give to signatures by a type of key that has more than one (RFC 8332).
_SIGNATURES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "ssh-rsa": frozenset({"ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"}),
        "ssh-rsa-cert-v01@openssh.com": frozenset(
            f"{name}-cert-v01@openssh.com" for name in ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512")
        ),
    }
)


@attrs.frozen
class Login:
    """A public-key login (RFC 4252 section 7) with the key that is to sign it.

    `host_key` is the server's public blob where the request names it (the hostbound kind of OpenSSH's PROTOCOL,
    section 3.1: a server with another host key does not accept the signature) or a binding proves it; None
    where any server may be meant. `bound` tells that the connection is bound to just this session: the client
    does talk to that host.
    `server` is then the binding.
    """

    session_id: bytes
    user: str
    algorithm: str
    host_key: bytes | None
    hostbound: bool
    bound: bool = False
    server: Binding | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Contradiction:
    """A login that the connection's bindings speak against: nothing honest asks for it."""

    login: Login
    reason: str


@attrs.frozen
class Sshsig:
    """A signature over a file, a git commit or the like (PROTOCOL.sshsig): no server takes it for a login."""

    namespace: str
    hash_algorithm: str


@attrs.frozen
class Unrecognised:
    """Neither of the two, or not quite: data that is not an SSH login."""


Purpose = Login | Contradiction | Sshsig | Unrecognised


def purpose(data: bytes, key_blob: bytes, hops: Sequence[Binding] = ()) -> Purpose:
    """Say what `data` is, whole; `key_blob` is the key asked to sign it, `hops` the bindings. Never raises."""
    try:
        if data.startswith(_MAGIC):
            return _sshsig(data)
        login = _login(data, key_blob)
    except (PacketDecodeError, UnicodeDecodeError):
        return Unrecognised()
    return _on_path(login, hops) if login else Unrecognised()


def _on_path(login: Login, hops: Sequence[Binding]) -> Purpose:
    """Hold a login against the bindings of the connection that it came over."""
    if any(hop.forwarding and hop.session_id == login.session_id for hop in hops):
        return Contradiction(login, "it logs in with a session that is bound for forwarding")
    if not hops or hops[-1].forwarding:
        return login  # the client did not bind, here or at the other end: where it leads, nobody knows
    server = hops[-1]
    if login.session_id != server.session_id:
        return Contradiction(login, "it is for another session than the connection is bound to")
    if login.host_key not in (None, server.host_key, server.shown_key):
        return Contradiction(login, "it names another host key than the connection is bound to")
    if login.host_key is None and len(hops) > 1:
        return login  # behind a forwarding hop, a request must name the host itself
    return attrs.evolve(login, host_key=server.host_key, bound=True, server=server)


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


def _login(data: bytes, key_blob: bytes) -> Login | None:
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
        and _may_sign(algorithm, key_blob)
    )
    return Login(session_id, user, algorithm, host_key, hostbound=host_key is not None) if recognised else None


def _may_sign(algorithm: str, key_blob: bytes) -> bool:
    kind = algorithm_name(key_blob)
    return algorithm == kind or algorithm in _SIGNATURES.get(kind, ())
