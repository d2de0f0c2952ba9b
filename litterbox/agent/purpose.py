"""What a signature is for: a pure function of hostile data to be signed and of the connection's bindings."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs
from asyncssh.packet import PacketDecodeError, SSHPacket

from litterbox.agent import certificates, public_keys
from litterbox.agent.binding import Binding
from litterbox.agent.certificates import BadCertificate, Certificate
from litterbox.agent.private_keys import algorithm_name
from litterbox.confirm.escaping import quoted

_USERAUTH_REQUEST: Final = 50  # SSH_MSG_USERAUTH_REQUEST (RFC 4252 section 6)
_SESSION_ID_LENGTHS: Final = frozenset({20, 32, 48, 64})  # a session id is a key exchange's hash (RFC 4253 section 7.2)
_SERVICE: Final = b"ssh-connection"  # the only one that a login leads to (RFC 4254)
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
    """A public-key login (RFC 4252 section 7) with the key that is to sign it, or with a certificate of that key.

    `user` has surrogates for bytes that are not UTF-8 (PEP 383). `host_key` is the server's public blob where the
    request names it (the hostbound kind of OpenSSH's PROTOCOL, section 3.1: a server with another host key does not
    accept the signature) or a binding proves it; None where any server may be meant. `bound` tells that the connection
    is bound to just this session: the client does talk to that host. `server` is then the binding.
    `certificate` is what the request shows to the server in place of the key; `certificate_blob` are its bytes.
    `oddity` says what servers accept in it and no usual client writes; it is empty where there is nothing.
    """

    session_id: bytes
    user: str
    algorithm: str
    host_key: bytes | None
    hostbound: bool
    bound: bool = False
    server: Binding | None = attrs.field(default=None, repr=False)
    certificate: Certificate | None = None
    certificate_blob: bytes = attrs.field(default=b"", repr=False)
    oddity: str = ""


@attrs.frozen
class Contradiction:
    """A login that the connection's bindings speak against: nothing honest asks for it."""

    login: Login
    reason: str


@attrs.frozen
class Unclear:
    """A login that cannot be understood to its end; some server may accept it. `login` has what is known of it."""

    login: Login
    reason: str


@attrs.frozen
class Sshsig:
    """A signature over a file, a git commit or the like (PROTOCOL.sshsig): no server takes it for a login."""

    namespace: str
    hash_algorithm: str


@attrs.frozen
class Unrecognised:
    """Neither of the two, or not quite an Sshsig: data that is not shaped like an SSH login."""


Purpose = Login | Contradiction | Unclear | Sshsig | Unrecognised


def purpose(data: bytes, key_blob: bytes, hops: Sequence[Binding] = ()) -> Purpose:
    """Say what `data` is, whole; `key_blob` is the key asked to sign it, `hops` the bindings. Never raises.

    Whatever is shaped like a login (a string, the byte 50, a string) is a Login, a Contradiction or Unclear.
    """
    if data.startswith(_MAGIC):
        return _sshsig(data)
    found = _login(data, key_blob)
    if isinstance(found, Unclear):
        placed = _on_path(found.login, hops)
        return attrs.evolve(found, login=placed) if isinstance(placed, Login) else found
    return Unrecognised() if found is None else _on_path(found, hops)


def _on_path(login: Login, hops: Sequence[Binding]) -> Login | Contradiction:
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


def _sshsig(data: bytes) -> Sshsig | Unrecognised:
    packet = SSHPacket(data[len(_MAGIC) :])
    try:
        namespace = packet.get_string().decode()
        packet.get_string()  # reserved: a verifier ignores it, so anything may stand here
        hash_algorithm = packet.get_string()
        digest = packet.get_string()
        packet.check_end()
    except (PacketDecodeError, UnicodeDecodeError):
        return Unrecognised()
    if not namespace or len(digest) != _HASH_LENGTHS.get(hash_algorithm):
        return Unrecognised()
    return Sshsig(namespace, hash_algorithm.decode())


def _login(data: bytes, key_blob: bytes) -> Login | Unclear | None:
    """The login that `data` is, as far as it can be understood; None where it is not shaped like one."""
    packet = SSHPacket(data)
    try:
        session_id, number, name = packet.get_string(), packet.get_byte(), packet.get_string()
    except PacketDecodeError:
        return None
    if number != _USERAUTH_REQUEST:
        return None
    user = name.decode("utf-8", "surrogateescape")
    algorithm, host_key = "", None
    try:
        service, method = packet.get_string(), packet.get_string()
        signed = packet.get_byte()
        algorithm = packet.get_string().decode("ascii", "replace")
        key = packet.get_string()
        host_key = packet.get_string() if method == _HOSTBOUND else None
        packet.check_end()
        certificate = _check(session_id, service, method, signed, algorithm, key, key_blob)
    except PacketDecodeError:
        reason = "it ends too early, or something follows it"
    except _NotUnderstood as error:
        reason = str(error)
    else:
        return Login(
            session_id,
            user,
            algorithm,
            host_key,
            hostbound=host_key is not None,
            certificate=certificate,
            certificate_blob=key if certificate else b"",
            oddity=_oddity(user, signed, key, key_blob, certificate),
        )
    return Unclear(Login(session_id, user, algorithm, host_key, hostbound=host_key is not None), reason)


class _NotUnderstood(Exception):
    """Why a login is Unclear."""


def _check(
    session_id: bytes, service: bytes, method: bytes, signed: int, algorithm: str, key: bytes, key_blob: bytes
) -> Certificate | None:
    """Return the certificate that the login shows, None where it shows the key. Raises _NotUnderstood."""
    if len(session_id) not in _SESSION_ID_LENGTHS:
        raise _NotUnderstood(f"a session id of {len(session_id)} bytes is none")
    if service != _SERVICE:
        raise _NotUnderstood(f"it is for the service {quoted(_ascii(service))}")
    if method not in (_PLAIN, _HOSTBOUND):
        raise _NotUnderstood(f"its method is {quoted(_ascii(method))}")
    if not signed:
        raise _NotUnderstood("it says that it is not signed")
    certificate = None if key == key_blob and not certificates.is_certificate(key) else _shown(key, key_blob)
    kind = algorithm_name(key)
    if algorithm != kind and algorithm not in _SIGNATURES.get(kind, ()):
        raise _NotUnderstood(f"its algorithm, {quoted(algorithm)}, does not go with its key")
    return certificate


def _shown(key: bytes, key_blob: bytes) -> Certificate | None:
    """The same for a key that is not byte for byte the one that would sign, or is a certificate."""
    try:
        certificate = certificates.read(key) if certificates.is_certificate(key) else None
        plain = certificate.plain_key if certificate else public_keys.canonical(key)
        signing = certificates.read(key_blob).plain_key if certificates.is_certificate(key_blob) else key_blob
        is_same = plain == public_keys.canonical(signing)
    except (PacketDecodeError, BadCertificate):
        raise _NotUnderstood("its key cannot be read") from None
    if not is_same:
        raise _NotUnderstood(f"its {'certificate' if certificate else 'key'} is not of the key that would sign")
    if certificate and certificate.kind != certificates.USER:
        raise _NotUnderstood("its certificate is not one for logins")
    return certificate


def _oddity(user: str, signed: int, key: bytes, key_blob: bytes, certificate: Certificate | None) -> str:
    if signed != 1:
        return f"it says {signed} where others say 1"
    if key != key_blob and certificate is None and key != public_keys.canonical(key):
        return "its key is not written in its shortest form"
    if not user.isascii() and any("\udc80" <= character <= "\udcff" for character in user):
        return "its user name is not UTF-8"
    return ""


def _ascii(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")
