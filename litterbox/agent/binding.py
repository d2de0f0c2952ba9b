"""Which SSH sessions a connection to the agent is bound to (`session-bind@openssh.com`, OpenSSH's PROTOCOL.agent).

A client that is about to log in, or to forward the agent, proves with a signature of the host's key which host it
talks to. The rules are those of OpenSSH's ssh-agent; sans-I/O.
"""

from typing import Final

import attrs
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox.agent import certificates, public_keys
from litterbox.agent.certificates import Certificate
from litterbox.errors import LitterboxError

MAX_BINDINGS: Final = 16  # as OpenSSH's AGENT_MAX_SESSION_IDS
_MAX_SESSION_ID_LENGTH: Final = 128  # bytes, as OpenSSH's AGENT_MAX_SID_LEN


class BindingError(LitterboxError):
    """The session cannot be bound; the sentence says why, for the log."""


@attrs.frozen
class SessionBind:
    """The request: bind this connection to an SSH session (PROTOCOL.agent section 1).

    `signature` is the host key's over the session id, from the key exchange. `forwarding` says that what comes
    next on this connection comes from that host; without it the client logs in there.
    """

    host_key: bytes
    session_id: bytes
    signature: bytes
    forwarding: bool


@attrs.frozen
class Binding:
    """One verified session: the host's key as a public blob, and its certificate where it showed one."""

    host_key: bytes
    session_id: bytes
    forwarding: bool
    certificate: Certificate | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def shown_key(self) -> bytes:
        """What the host showed in the key exchange: its certificate, or its key."""
        return self.host_key if self.certificate is None else self.certificate.public_data


class Bindings:
    """The sessions that one connection is bound to, in order: each but the last is a hop of a forwarded agent.

    `failed` tells that a binding was refused: from then on nobody knows for sure where the connection leads. Whoever
    calls `verify`, and gets none, sets it.
    """

    def __init__(self) -> None:
        self.hops: tuple[Binding, ...] = ()
        self.failed = False

    def add(self, binding: Binding) -> Binding:
        """Add a session, or find it again. Raises BindingError, and the connection has failed to be bound."""
        try:
            return self._add(binding)
        except BindingError:
            self.failed = True
            raise

    def _add(self, binding: Binding) -> Binding:
        for hop in self.hops:
            if not hop.forwarding:
                raise BindingError("The connection is bound to a login already, and to nothing else.")
            if hop.session_id == binding.session_id:
                if hop.shown_key == binding.shown_key:
                    return hop
                raise BindingError("The session is bound to another host key already.")
        if len(self.hops) >= MAX_BINDINGS:
            raise BindingError(f"More than {MAX_BINDINGS} sessions on one connection.")
        self.hops = (*self.hops, binding)
        return binding


def verify(request: SessionBind) -> Binding:
    """The session that the request proves. Raises BindingError where it proves none.

    The client chooses the kind of host key, so that this may take milliseconds.
    """
    if len(request.session_id) > _MAX_SESSION_ID_LENGTH:
        raise BindingError(f"A session id of {len(request.session_id)} bytes is too long.")
    certificate = None
    try:
        if certificates.is_certificate(request.host_key):
            certificate = certificates.decode(request.host_key)
        key = public_keys.decode(request.host_key if certificate is None else certificate.plain_key)
        proven = key.verify(request.session_id, request.signature)
    except (certificates.BadCertificate, public_keys.BadPublicKey) as error:
        raise BindingError(error.sentence) from None
    except (ValueError, UnsupportedAlgorithm, OverflowError):
        proven = False
    if not proven:
        raise BindingError("The host key did not sign this session.")
    return Binding(key.public_data, request.session_id, request.forwarding, certificate)
