"""What to ask about a request to the agent: a dialog's words, and what "for this session" covers. Pure."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

import attrs
from asyncssh.packet import String, UInt32

from litterbox.agent.binding import Binding
from litterbox.agent.identities import Identity
from litterbox.agent.private_keys import fingerprint
from litterbox.agent.purpose import Login, Purpose, Sshsig
from litterbox.agent.requests import AddIdentity, SignRequest
from litterbox.agent.words import (
    Names,
    certificate_in_words,
    destinations_in_words,
    key_in_words,
    limits_in_words,
    login_in_words,
    name_in_words,
    purpose_in_words,
    way_in_words,
)
from litterbox.confirm.question import Approval, Question
from litterbox.confirm.said import MAX_APPROVED_WIDTH, Said, Sentence, Words, rendered

_MAX_NAMESPACE_LENGTH: Final = 64  # characters; a longer one is asked about each time

Fields = tuple[tuple[str, Words], ...]


@attrs.frozen
class Requester:
    """Who asks: the box (None for a program of the host's), over which hops, and what it says it is."""

    box: str | None
    hops: Sequence[Binding]
    names: Names
    program: str | None = None

    @property
    def forwarded(self) -> Fields:
        """The field that warns of a forwarded connection, where it is one."""
        way = way_in_words(self.hops, self.names)
        return (("Forwarded", (*way, ": whoever controls that computer may be asking")),) if way else ()

    @property
    def claims(self) -> Fields:
        return () if self.program is None else (("Program", ("says it is ", Said(self.program))),)

    @property
    def path(self) -> str:
        """The hops, for what an approval covers."""
        via = [fingerprint(hop.host_key) for hop in self.hops if hop.forwarding]
        return f"through {', '.join(via)}" if via else ""


def about_list(asker: Requester) -> Question:
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


def about_signing(asker: Requester, identity: Identity, request: SignRequest, purpose: Purpose) -> Question:
    """Ask about one signature."""
    approval = None
    if identity.constraints is None or not identity.constraints.confirm:
        approval = _approval(asker, identity, purpose)
    fields: list[tuple[str, Words]] = [
        ("Key", key_in_words(identity)),
        ("Fingerprint", identity.fingerprint),
        ("For", _capital(purpose_in_words(purpose, asker.names))),
    ]
    claims: Fields = ()
    if isinstance(purpose, Login) and purpose.host_key is not None:
        fields.append(("Host key", fingerprint(purpose.host_key)))
    if isinstance(purpose, Login) and purpose.certificate is not None:
        claims = (("Certificate", certificate_in_words(purpose.certificate)),)
    return Question(
        box=asker.box,
        asks="to sign with an SSH key of yours"
        if identity.constraints is None
        else "to sign with an SSH key of its own",
        fields=(*fields, *asker.forwarded),
        claims=(*claims, *asker.claims),
        request=b"sign" + String(request.key_blob) + String(request.data) + UInt32(request.flags),
        approval=approval,
        once=approval is not None and identity.ask == "once",
    )


def about_adding(asker: Requester, identity: Identity, request: AddIdentity) -> Question:
    limits = limits_in_words(request.constraints)
    destinations = destinations_in_words(request.constraints)
    return Question(
        box=asker.box,
        asks="to add an SSH key to its agent",
        fields=(
            ("Key", key_in_words(identity)),
            ("Fingerprint", identity.fingerprint),
            ("It would be kept", f"in memory only, {limits}" if limits else "in memory only"),
            *((("Only for", destinations),) if destinations else ()),
            *asker.forwarded,
        ),
        claims=asker.claims,
        request=b"add" + hashlib.sha256(request.body).digest(),
    )


def about_removing(asker: Requester, identity: Identity) -> Question:
    return Question(
        box=asker.box,
        asks="to remove an SSH key from its agent",
        fields=(
            ("Key", key_in_words(identity)),
            ("Fingerprint", identity.fingerprint),
            _kept(identity),
            *asker.forwarded,
        ),
        claims=asker.claims,
        request=b"remove" + String(identity.public_blob),
    )


def about_removing_all(asker: Requester) -> Question:
    return Question(
        box=asker.box,
        asks="to remove every SSH key from its agent",
        fields=(("Your keys", "stay in the key store; its agent no longer offers them"), *asker.forwarded),
        claims=asker.claims,
        request=b"remove all",
    )


def about_locking(asker: Requester, passphrase: bytes) -> Question:
    return Question(
        box=asker.box,
        asks="to lock its agent with a passphrase",
        fields=(("Until it unlocks it", "the agent shows no key and signs nothing"), *asker.forwarded),
        claims=asker.claims,
        request=b"lock" + hashlib.sha256(passphrase).digest(),
    )


def about_unlocking(asker: Requester, passphrase: bytes) -> Question:
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


def _approval(asker: Requester, identity: Identity, purpose: Purpose) -> Approval | None:
    """What "for this session" covers, where it is offered: a proven destination, or a namespace."""
    called: Sentence
    match purpose:
        case Login(bound=True, host_key=bytes(host_key), user=user):
            called = login_in_words(purpose, asker.names)
            certificate = f" with certificate {_digest(blob)}" if (blob := purpose.certificate_blob) else ""
            destination = f'"{user}" on {fingerprint(host_key)}{certificate} {asker.path}'.rstrip()
        case Sshsig(namespace=namespace) if len(namespace) <= _MAX_NAMESPACE_LENGTH:
            way = way_in_words(asker.hops, asker.names)
            called = ("namespace ", Said(namespace), *((" ", *way) if way else ()))
            destination = f'namespace "{namespace}" {asker.path}'.rstrip()
        case _:
            return None
    digest = _digest(identity.public_blob)
    return Approval(
        "sign",
        f"{identity.name} {digest}",
        destination,
        rendered(called, MAX_APPROVED_WIDTH),
        rendered((*name_in_words(identity), f" {digest}"), MAX_APPROVED_WIDTH),
    )


def _digest(blob: bytes) -> str:
    """Of a whole blob; the fingerprint of a certificate is that of its key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def _kept(identity: Identity) -> tuple[str, str]:
    if identity.constraints is None:
        return ("Your key", "stays in the key store; its agent no longer offers it")
    return ("The key", "is forgotten: the agent has the only copy that Litterbox knows of")


def _capital(sentence: Sentence) -> Sentence:
    first, *others = sentence
    return (first[0].upper() + first[1:], *others) if isinstance(first, str) else sentence
