"""What to ask about a request to the agent: a dialog's words, and what "for this session" covers. Pure."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import attrs
from asyncssh.packet import String, UInt32

from litterbox.agent.binding import Binding
from litterbox.agent.constraints import Constraints
from litterbox.agent.identities import Identity
from litterbox.agent.private_keys import fingerprint
from litterbox.agent.purpose import Contradiction, Login, Purpose, Sshsig
from litterbox.agent.requests import AddIdentity, SignRequest
from litterbox.confirm.question import Approval, Question

_LONGEST_NAMESPACE: Final = 64  # characters; a longer one is asked about each time

# What people sign with `ssh-keygen -Y sign` and git, in their own words; other namespaces are shown as they are.
_NAMESPACES: Final = {"git": "sign a git commit or tag", "file": "sign a file"}


@attrs.frozen
class Called:
    """What a host is called: `names` by this computer's known_hosts, `claimed` only by the box's own."""

    names: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()


Names = Callable[[bytes], Called]


@attrs.frozen
class Asker:
    """Who asks: the box (None for a program of the host's), over which hops, and what it says it is."""

    box: str | None
    hops: Sequence[Binding]
    names: Names
    program: str | None = None

    @property
    def forwarded(self) -> tuple[tuple[str, str], ...]:
        """The field that warns of a forwarded connection, where it is one."""
        via = [_host(hop.shown_key, self.names) for hop in self.hops if hop.forwarding]
        if not via:
            return ()
        return (("Forwarded", f"through {', then '.join(via)}: whoever controls that computer may be asking"),)

    @property
    def claims(self) -> tuple[tuple[str, str], ...]:
        return () if self.program is None else (("Program", f'says it is "{self.program}"'),)

    @property
    def path(self) -> str:
        """The hops, for what an approval covers."""
        via = [fingerprint(hop.host_key) for hop in self.hops if hop.forwarding]
        return f"through {', '.join(via)}" if via else ""


def about_list(asker: Asker) -> Question:
    return Question(
        box=asker.box,
        asks="which SSH keys it may use",
        fields=(
            ("It would see", "the public keys that its agent offers, and their comments; this signs nothing"),
            *asker.forwarded,
        ),
        claims=asker.claims,
        request=b"list",
        approval=Approval("list", "", asker.path),
    )


def about_signing(asker: Asker, identity: Identity, request: SignRequest, purpose: Purpose) -> Question:
    """Ask about one signature."""
    approval = None
    if identity.constraints is None or not identity.constraints.confirm:
        approval = _approval(asker, identity, purpose)
    fields = [
        ("Key", _key(identity)),
        ("Fingerprint", identity.fingerprint),
        ("For", _capital(in_words(purpose, asker.names))),
    ]
    if isinstance(purpose, Login) and purpose.host_key is not None:
        fields.append(("Host key", fingerprint(purpose.host_key)))
    return Question(
        box=asker.box,
        asks="to sign with an SSH key of yours"
        if identity.constraints is None
        else "to sign with an SSH key of its own",
        fields=(*fields, *asker.forwarded),
        claims=asker.claims,
        request=b"sign" + String(request.key_blob) + String(request.data) + UInt32(request.flags),
        approval=approval,
        once=approval is not None and identity.ask == "once",
    )


def about_adding(asker: Asker, identity: Identity, request: AddIdentity) -> Question:
    limits = _limits(request.constraints)
    return Question(
        box=asker.box,
        asks="to add an SSH key to its agent",
        fields=(
            ("Key", _key(identity)),
            ("Fingerprint", identity.fingerprint),
            ("It would be kept", f"in memory only, {limits}" if limits else "in memory only"),
            *asker.forwarded,
        ),
        claims=asker.claims,
        request=b"add" + hashlib.sha256(request.body).digest(),
    )


def about_removing(asker: Asker, identity: Identity) -> Question:
    return Question(
        box=asker.box,
        asks="to remove an SSH key from its agent",
        fields=(("Key", _key(identity)), ("Fingerprint", identity.fingerprint), _kept(identity), *asker.forwarded),
        claims=asker.claims,
        request=b"remove" + String(identity.public_blob),
    )


def about_removing_all(asker: Asker) -> Question:
    return Question(
        box=asker.box,
        asks="to remove every SSH key from its agent",
        fields=(("Your keys", "stay in the key store; its agent no longer offers them"), *asker.forwarded),
        claims=asker.claims,
        request=b"remove all",
    )


def about_locking(asker: Asker, passphrase: bytes) -> Question:
    return Question(
        box=asker.box,
        asks="to lock its agent with a passphrase",
        fields=(("Until it unlocks it", "the agent shows no key and signs nothing"), *asker.forwarded),
        claims=asker.claims,
        request=b"lock" + hashlib.sha256(passphrase).digest(),
    )


def about_unlocking(asker: Asker, passphrase: bytes) -> Question:
    return Question(
        box=asker.box,
        asks="to unlock its agent",
        fields=(
            ("If the passphrase is right", "the agent shows its keys again, and asks before each use"),
            *asker.forwarded,
        ),
        claims=asker.claims,
        request=b"unlock" + hashlib.sha256(passphrase).digest(),
    )


def in_words(purpose: Purpose, names: Names) -> str:
    """What the signature is for, as a person says it."""
    match purpose:
        case Login(user=user, host_key=None):
            return f'log in as "{user}" on a server that the request does not name'
        case Login(user=user, host_key=bytes(host_key), server=server):
            return f'log in as "{user}" on {_host(server.shown_key if server else host_key, names)}'
        case Contradiction(login=login):
            return in_words(login, names)
        case Sshsig(namespace=namespace):
            known = _NAMESPACES.get(namespace)
            return f'{known} (namespace "{namespace}")' if known else f'make a signature in the namespace "{namespace}"'
    return "sign data that is not an SSH login"


def _host(host_key: bytes, names: Names) -> str:
    called = names(host_key)
    if called.names:
        return " or ".join(called.names[:2])
    if called.claimed:
        return f'a server that only the box knows, as "{called.claimed[0]}"'
    return f"an unknown server ({fingerprint(host_key)})"


def _approval(asker: Asker, identity: Identity, purpose: Purpose) -> Approval | None:
    """What "for this session" covers, where it is offered: a proven destination, or a namespace."""
    match purpose:
        case Login(bound=True, host_key=bytes(host_key), user=user, server=server):
            called = f'"{user}" on {_host(server.shown_key if server else host_key, asker.names)}'
            destination = f'"{user}" on {fingerprint(host_key)} {asker.path}'.rstrip()
        case Sshsig(namespace=namespace) if len(namespace) <= _LONGEST_NAMESPACE:
            called = destination = f'namespace "{namespace}" {asker.path}'.rstrip()
        case _:
            return None
    digest = base64.b64encode(hashlib.sha256(identity.public_blob).digest()).decode("ascii").rstrip("=")
    return Approval("sign", f"{identity.name} SHA256:{digest}", destination, called)


def _key(identity: Identity) -> str:
    if identity.constraints is None:
        return f"{identity.name} ({identity.algorithm})"
    return f'"{identity.name}" ({identity.algorithm}), not from your key store'


def _kept(identity: Identity) -> tuple[str, str]:
    if identity.constraints is None:
        return ("Your key", "stays in the key store; its agent no longer offers it")
    return ("The key", "is forgotten: the agent has the only copy that Litterbox knows of")


def _limits(constraints: Constraints) -> str:
    limits = []
    if constraints.lifetime is not None:
        limits.append(f"for {constraints.lifetime:,} seconds")
    if constraints.confirm:
        limits.append("and asked about each time")
    if constraints.destinations:
        steps = [
            f"{step.start.host or 'here'} > {f'{step.end.user}@' if step.end.user else ''}{step.end.host}"
            for step in constraints.destinations
        ]
        limits.append(f"only for {', '.join(steps)}")
    return ", ".join(limits)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
