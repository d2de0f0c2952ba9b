"""Who may see and use a key on a connection, before anybody is asked: a pure function of key, purpose and bindings."""

from collections.abc import Callable, Sequence
from enum import Enum, auto

import attrs

from litterbox.agent.binding import Bindings
from litterbox.agent.constraints import permits
from litterbox.agent.identities import Identity
from litterbox.agent.purpose import Contradiction, Login, Purpose, Unclear

Match = Callable[[bytes, Sequence[str]], bool]  # KnownHosts.match: does this host key have a name that fits?


@attrs.frozen
class Refuse:
    """No, and nobody is asked; the reason is for the log."""

    reason: str


class Go(Enum):
    """Yes: after asking, or without, because the key was attached with `--ask never`."""

    ASK = auto()
    UNASKED = auto()


Verdict = Refuse | Go


def sees(identity: Identity, bindings: Bindings, match: Match) -> bool:
    """Say whether the connection may know of the key: see it in a list, remove it, add it again."""
    if identity.constraints is not None:
        return permits(identity.constraints.destinations, bindings, None)
    return not identity.hosts or _leads_to(identity.hosts, bindings, match)


def on_signing(identity: Identity, purpose: Purpose, bindings: Bindings, match: Match) -> Verdict:
    """Say whether the key may sign on this connection, for this purpose."""
    login = purpose.login if isinstance(purpose, Contradiction | Unclear) else purpose
    restricted = identity.constraints is not None and bool(identity.constraints.destinations)
    if restricted or identity.hosts or identity.ask == "never":
        if not isinstance(login, Login):
            return Refuse("the key is for logins to certain hosts, and this is not a login")
        if not bindings.hops:
            return Refuse("the key is for certain hosts, and the client did not bind its connection (OpenSSH 8.9 does)")
    if isinstance(purpose, Contradiction):
        return Refuse(f"the login contradicts its connection: {purpose.reason}")
    if isinstance(purpose, Unclear):
        return Refuse(f"the login cannot be understood: {purpose.reason}")
    if restricted or identity.hosts or identity.ask == "never":
        return _on_limited(identity, login, bindings, match)
    return Go.ASK


def _on_limited(identity: Identity, login: Purpose, bindings: Bindings, match: Match) -> Verdict:
    """For a key that is for certain hosts only, and a login on a connection that is bound."""
    if not isinstance(login, Login) or not login.bound:
        return Refuse("the key is for certain hosts, and nothing proves which host this login is for")
    if identity.constraints is not None:
        if permits(identity.constraints.destinations, bindings, login.user):
            return Go.ASK
        return Refuse("the key was added for other destinations, hops or users")
    if not _leads_to(identity.hosts, bindings, match):
        return Refuse("the key is limited to hosts, and known_hosts gives no such name to a host on the way")
    return _unasked(login) if identity.ask == "never" else Go.ASK


def _unasked(login: Login) -> Verdict:
    """Unasked, a key signs what every client sends, and nothing that grants more than the key itself does."""
    if login.certificate is not None:
        return Refuse("unasked, the key signs for itself and not for a certificate, which may grant other things")
    if login.oddity:
        return Refuse(f"unasked, the key signs only what usual clients send: {login.oddity}")
    return Go.UNASKED


def _leads_to(hosts: Sequence[str], bindings: Bindings, match: Match) -> bool:
    """Whether every host on the way has a name that fits, and all that the client said of the way proved true."""
    if not hosts or not bindings.hops or bindings.failed:
        return False
    return all(match(hop.shown_key, hosts) for hop in bindings.hops)
