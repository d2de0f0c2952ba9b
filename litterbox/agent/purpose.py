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
from litterbox.confirm.visible import quoted

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
    shaped = _shaped_like_a_login(data)
    if shaped is None:
        return Unrecognised()
    login, rest = shaped
    try:
        login = _login(login, rest, key_blob)
        reason = ""
    except _NotUnderstood as error:
        login, reason = error.login, error.reason
    placed = _on_path(login, hops)
    if not reason:
        return placed
    return Unclear(placed if isinstance(placed, Login) else login, reason)


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


@attrs.frozen
class _NotUnderstood(Exception):
    login: Login
    reason: str


def _shaped_like_a_login(data: bytes) -> tuple[Login, SSHPacket] | None:
    """What every login begins with, and what stands behind it."""
    packet = SSHPacket(data)
    try:
        session_id, number, user = packet.get_string(), packet.get_byte(), packet.get_string()
    except PacketDecodeError:
        return None
    if number != _USERAUTH_REQUEST:
        return None
    return Login(session_id, user.decode("utf-8", "surrogateescape"), "", None, hostbound=False), packet


def _login(login: Login, packet: SSHPacket, key_blob: bytes) -> Login:
    """The whole login, from what stands behind its user. Raises _NotUnderstood."""
    try:
        service, method = packet.get_string(), packet.get_string()
        signed = packet.get_byte()
        algorithm = packet.get_string().decode("ascii", "replace")
        key = packet.get_string()
        if method == _HOSTBOUND:
            login = attrs.evolve(login, host_key=packet.get_string(), hostbound=True)
        packet.check_end()
    except PacketDecodeError:
        raise _NotUnderstood(login, "it ends too early, or something follows it") from None
    reason = _what_is_wrong(login, service, method, signed)
    if reason:
        raise _NotUnderstood(login, reason)
    try:
        certificate = certificates.read(key) if certificates.is_certificate(key) else None
        shown = certificate.plain_key if certificate else public_keys.canonical(key)
        ours = certificates.read(key_blob).plain_key if certificates.is_certificate(key_blob) else key_blob
        same = shown == public_keys.canonical(ours)
    except (PacketDecodeError, BadCertificate):
        raise _NotUnderstood(login, "its key cannot be read") from None
    if not same:
        raise _NotUnderstood(login, f"its {'certificate' if certificate else 'key'} is not of the key that would sign")
    if certificate and certificate.kind != certificates.USER:
        raise _NotUnderstood(login, "its certificate is not one for logins")
    if not _goes_with(algorithm, key):
        raise _NotUnderstood(login, f"its algorithm, {quoted(algorithm)}, does not go with its key")
    return attrs.evolve(
        login,
        algorithm=algorithm,
        certificate=certificate,
        certificate_blob=key if certificate else b"",
        oddity=_oddity(login.user, signed, is_shortest=bool(certificate) or key == shown),
    )


def _what_is_wrong(login: Login, service: bytes, method: bytes, signed: int) -> str:
    if len(login.session_id) not in _SESSION_ID_LENGTHS:
        return f"a session id of {len(login.session_id)} bytes is none"
    if service != _SERVICE:
        return f"it is for the service {quoted(_ascii(service))}"
    if method not in (_PLAIN, _HOSTBOUND):
        return f"its method is {quoted(_ascii(method))}"
    return "" if signed else "it says that it is not signed"


def _oddity(user: str, signed: int, *, is_shortest: bool) -> str:
    if signed != 1:
        return f"it says {signed} where others say 1"
    if not is_shortest:
        return "its key is not written in its shortest form"
    return "its user name is not UTF-8" if any("\udc80" <= character <= "\udcff" for character in user) else ""


def _goes_with(algorithm: str, key: bytes) -> bool:
    kind = algorithm_name(key)
    return algorithm == kind or algorithm in _SIGNATURES.get(kind, ())


def _ascii(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")
