"""Keys, hosts, logins and limits in words, each with its pieces told apart: ours, the host's, and the box's. Pure."""

from collections.abc import Callable, Sequence
from typing import Final

import attrs

from litterbox.agent.binding import Binding
from litterbox.agent.certificates import Certificate
from litterbox.agent.constraints import Constraints, Destination
from litterbox.agent.identities import Identity
from litterbox.agent.private_keys import fingerprint
from litterbox.agent.purpose import Contradiction, Login, Purpose, Sshsig, Unclear
from litterbox.confirm.said import Known, Said, Sentence, joined

# What people sign with `ssh-keygen -Y sign` and git, in their own words; other namespaces are shown as they are.
_NAMESPACES: Final = {"git": "sign a git commit or tag", "file": "sign a file"}
_SIGNATURES: Final = {"git": "signing git commits and tags", "file": "signing files"}
_MAX_NAMED: Final = 2  # names, hops, principals or steps in one sentence; how many more there are is said


@attrs.frozen
class HostNames:
    """What a host is called: `names` by this computer's known_hosts, `claimed` only by the box's own."""

    names: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()


Names = Callable[[bytes], HostNames]


def purpose_in_words(purpose: Purpose, names: Names) -> Sentence:
    """What the signature is for, as a person says it."""
    match purpose:
        case Login(user=user):
            server, certificate = _server(purpose, names), _with_certificate(purpose.certificate)
            if isinstance(server[0], Known):
                return ("log in to ", *server, " as ", Said(user), *certificate)
            return ("log in as ", Said(user), " to ", *server, *certificate)
        case Contradiction(login=login) | Unclear(login=login):
            return purpose_in_words(login, names)
        case Sshsig(namespace=namespace):
            known = _NAMESPACES.get(namespace)
            if known:
                return (f"{known} (namespace ", Said(namespace), ")")
            return ("make a signature in the namespace ", Said(namespace))
    return ("sign data that is not an SSH login",)


def login_in_words(login: Login, names: Names) -> Sentence:
    """User, host and certificate, as an approval is called."""
    return (Said(login.user), " on ", *_server(login, names), *_with_certificate(login.certificate))


def certificate_in_words(certificate: Certificate) -> Sentence:
    """Whom a certificate says that it is for, and which authority it names."""
    principals: list[Sentence] = [(Said(name),) for name in certificate.principals]
    whom = _some(principals, ", ", "others") if principals else ("anybody",)
    return ("by its own words for ", *whom, f", and signed by {fingerprint(certificate.authority)}")


def way_in_words(hops: Sequence[Binding], names: Names) -> Sentence:
    """The computers that a connection is forwarded through; () where it is not."""
    via = [host_in_words(hop.shown_key, names) for hop in hops if hop.forwarding]
    if len(via) > _MAX_NAMED:
        via = [via[0], (f"{len(via) - _MAX_NAMED} more",), via[-1]]
    return ("through ", *joined(via, ", then ")) if via else ()


def host_in_words(host_key: bytes, names: Names) -> Sentence:
    called = names(host_key)
    if called.names:
        return joined([(Known(name),) for name in called.names[:_MAX_NAMED]], " or ")
    if called.claimed:
        return ("a server that only the box knows, as ", Said(called.claimed[0]))
    return (f"an unknown server ({fingerprint(host_key)})",)


def key_in_words(identity: Identity) -> Sentence:
    if identity.constraints is None:
        return (Known(identity.name), f" ({identity.algorithm})")
    return (Said(identity.name), f" ({identity.algorithm}), not from your key store")


def keys_in_words(keys: Sequence[Identity]) -> Sentence:
    """The names of the keys."""
    return _some(list(map(name_in_words, keys)), ", ", "more") if keys else ("none",)


def signatures_in_words(namespace: str) -> str:
    """The signatures of a namespace, for a button: nothing of the box's own words."""
    return _SIGNATURES.get(namespace, "signatures of this kind")


def name_in_words(identity: Identity) -> Sentence:
    """What a key is called: by the user where it is of the store, else by whoever added it."""
    return (Known(identity.name) if identity.constraints is None else Said(identity.name),)


def limits_in_words(constraints: Constraints) -> str:
    """How long a key is kept, and how it is used."""
    limits = []
    if constraints.lifetime is not None:
        limits.append(f"for {constraints.lifetime:,} seconds")
    if constraints.confirm:
        limits.append("and asked about each time")
    return ", ".join(limits)


def destinations_in_words(constraints: Constraints) -> Sentence:
    """Where an added key may be used, by the names that came with it; () where it may be used anywhere."""
    if not constraints.destinations:
        return ()
    steps = _some([_step(step) for step in constraints.destinations], ", ", "more")
    return ("what it calls ", *steps)


def _step(step: Destination) -> Sentence:
    user: Sentence = (Said(step.end.user), " on ") if step.end.user else ()
    start: Sentence = (" from ", Said(step.start.host)) if step.start.host else (" from here",)
    return (*user, Said(step.end.host), *start)


def _some(items: list[Sentence], between: str, rest: str) -> Sentence:
    """The first of the items, and how many there are beside them."""
    more = len(items) - _MAX_NAMED
    return (*joined(items[:_MAX_NAMED], between), *((f" and {more:,} {rest}",) if more > 0 else ()))


def _server(login: Login, names: Names) -> Sentence:
    if login.host_key is None:
        return ("a server that the request does not name",)
    return host_in_words(login.server.shown_key if login.server else login.host_key, names)


def _with_certificate(certificate: Certificate | None) -> Sentence:
    return () if certificate is None else (" with the certificate ", Said(certificate.key_id))
