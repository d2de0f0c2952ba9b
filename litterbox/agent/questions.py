"""What to ask about a request to the agent: a dialog's words, and what an approval that lasts covers. Pure."""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

import attrs
from asyncssh.packet import String, UInt32

from litterbox.agent.binding import Binding
from litterbox.agent.identities import Identity
from litterbox.agent.private_keys import fingerprint
from litterbox.agent.purpose import Contradiction, Login, Purpose, Sshsig, Unclear, Unrecognised
from litterbox.agent.requests import AddIdentity, SignRequest
from litterbox.agent.words import (
    Names,
    certificate_in_words,
    destinations_in_words,
    key_in_words,
    keys_in_words,
    limits_in_words,
    login_in_words,
    name_in_words,
    purpose_in_words,
    signatures_in_words,
    way_in_words,
)
from litterbox.confirm.escaping import escape_untrusted
from litterbox.confirm.question import Approval, Fields, Question
from litterbox.confirm.said import MAX_APPROVED_WIDTH, Said, Sentence, Words, rendered

_MAX_NAMESPACE_LENGTH: Final = 64  # characters; a longer one is asked about each time
_COVERED: Final = "The lasting answer covers"
_MAX_BUTTON_NAME_WIDTH: Final = 40  # columns of a server on a button


@attrs.frozen
class Requester:
    """Who asks: the box (None for a program of the host's), over which hops, and what it says it is."""

    box: str | None
    hops: Sequence[Binding]
    names: Names
    program: str | None = None

    @property
    def warning(self) -> Sentence:
        """The sentence that warns of a forwarded connection; () where it is not forwarded."""
        way = way_in_words(self.hops, self.names)
        return ("The request came ", *way, ". Whoever controls that computer may be asking.") if way else ()

    @property
    def claims(self) -> Fields:
        return () if self.program is None else (("Program", ("says it is ", Said(self.program))),)

    @property
    def path(self) -> str:
        """The hops, for what an approval covers."""
        via = [fingerprint(hop.host_key) for hop in self.hops if hop.forwarding]
        return f"through {', '.join(via)}" if via else ""


def about_list(asker: Requester, keys: Sequence[Identity]) -> Question:
    """Ask whether the public keys may be listed."""
    return Question(
        box=asker.box,
        action="see which SSH keys it has",
        warning=asker.warning,
        fields=(
            ("Keys", keys_in_words(keys)),
            ("It would see", "their public keys and comments; this signs nothing"),
        ),
        claims=asker.claims,
        request=b"list",
        approval=Approval("list", "", asker.path, allows="listing the keys"),
    )


def about_signing(asker: Requester, identity: Identity, request: SignRequest, purpose: Purpose) -> Question:
    """Ask about one signature."""
    approval = None
    if identity.constraints is None or not identity.constraints.confirm:
        approval = _approval(asker, identity, purpose)
    fields: list[tuple[str, Words]] = [("Key", key_in_words(identity))]
    if approval is not None:
        fields.append((_COVERED, _covered(asker, purpose)))
    details: list[tuple[str, Words]] = [("Key fingerprint", identity.fingerprint)]
    claims: Fields = ()
    if isinstance(purpose, Login) and purpose.host_key is not None:
        details.append(("Host fingerprint", fingerprint(purpose.host_key)))
    if isinstance(purpose, Login) and purpose.certificate is not None:
        claims = (("Certificate", certificate_in_words(purpose.certificate)),)
    return Question(
        box=asker.box,
        action=purpose_in_words(purpose, asker.names),
        warning=_warning(asker, purpose),
        fields=tuple(fields),
        claims=(*claims, *asker.claims),
        details=tuple(details),
        request=b"sign" + String(request.key_blob) + String(request.data) + UInt32(request.flags),
        approval=approval,
        once=approval is not None and identity.ask == "once",
    )


def about_adding(asker: Requester, identity: Identity, request: AddIdentity) -> Question:
    limits = limits_in_words(request.constraints)
    destinations = destinations_in_words(request.constraints)
    return Question(
        box=asker.box,
        action="add an SSH key to its agent",
        warning=asker.warning,
        fields=(
            ("Key", key_in_words(identity)),
            ("It would be kept", f"in memory only, {limits}" if limits else "in memory only"),
            *((("Only for", destinations),) if destinations else ()),
        ),
        claims=asker.claims,
        details=(("Key fingerprint", identity.fingerprint),),
        request=b"add" + hashlib.sha256(request.body).digest(),
    )


def about_removing(asker: Requester, identity: Identity) -> Question:
    return Question(
        box=asker.box,
        action="remove an SSH key from its agent",
        warning=asker.warning,
        fields=(("Key", key_in_words(identity)), _kept(identity)),
        claims=asker.claims,
        details=(("Key fingerprint", identity.fingerprint),),
        request=b"remove" + String(identity.public_blob),
    )


def about_removing_all(asker: Requester) -> Question:
    return Question(
        box=asker.box,
        action="remove every SSH key from its agent",
        warning=asker.warning,
        fields=(("Your keys", "stay in the key store; its agent no longer offers them"),),
        claims=asker.claims,
        request=b"remove all",
    )


def about_locking(asker: Requester, passphrase: bytes) -> Question:
    return Question(
        box=asker.box,
        action="lock its agent with a passphrase",
        warning=asker.warning,
        fields=(("Until it unlocks it", "the agent shows no key and signs nothing"),),
        claims=asker.claims,
        request=b"lock" + hashlib.sha256(passphrase).digest(),
    )


def about_unlocking(asker: Requester, passphrase: bytes) -> Question:
    return Question(
        box=asker.box,
        action="unlock its agent",
        warning=asker.warning,
        fields=(("If the passphrase is right", "the agent shows its keys again, and asks before each use"),),
        claims=asker.claims,
        request=b"unlock" + hashlib.sha256(passphrase).digest(),
    )


def _warning(asker: Requester, purpose: Purpose) -> Words:
    """Why a signature deserves a second look; empty where nothing speaks against it."""
    if asker.warning:
        return asker.warning
    doubt: Words = ""
    match purpose:
        case Unclear(reason=reason):
            doubt = f"This login cannot be understood to its end: {reason}."
        case Contradiction(reason=reason):
            doubt = f"This login contradicts its own connection: {reason}."
        case Login(oddity=str(oddity)) if oddity:
            doubt = f"No usual program asks for a login like this: {oddity}."
        case Login(bound=False):
            doubt = "Nothing proves which server this login is for."
        case Login(server=Binding(shown_key=shown_key)) if not asker.names(shown_key).names:
            doubt = "Your known_hosts does not have this server."
        case Unrecognised():
            doubt = "Litterbox does not recognise what would be signed. Whoever gets it may use it for anything."
    return doubt


def _covered(asker: Requester, purpose: Purpose) -> str:
    """What `_approval` covers, without a word of the box."""
    what = "signatures in this namespace with this key"
    if isinstance(purpose, Login):
        certificate = " and certificate" if purpose.certificate_blob else ""
        what = f"logins as this user to this server with this key{certificate}"
    way = " through the same servers" if asker.path else ""
    return f"{what}{way}, by any program {'that uses this agent' if asker.box is None else 'in the box'}"


def _approval(asker: Requester, identity: Identity, purpose: Purpose) -> Approval | None:
    """What an approval that lasts covers, where it is offered: a proven destination, or a namespace."""
    called: Sentence
    match purpose:
        case Login(bound=True, host_key=bytes(host_key), user=user):
            called = login_in_words(purpose, asker.names)
            allows = f"logins to {_server_on_button(purpose, asker.names)}"
            certificate = f" with certificate {_digest(blob)}" if (blob := purpose.certificate_blob) else ""
            destination = f'"{user}" on {fingerprint(host_key)}{certificate} {asker.path}'.rstrip()
        case Sshsig(namespace=namespace) if len(namespace) <= _MAX_NAMESPACE_LENGTH:
            way = way_in_words(asker.hops, asker.names)
            called = ("namespace ", Said(namespace), *((" ", *way) if way else ()))
            allows = signatures_in_words(namespace)
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
        allows,
    )


def _server_on_button(login: Login, names: Names) -> str:
    """The server's name where the user's own files give it one, for nothing of the box may stand on a button."""
    known = names(login.server.shown_key).names if login.server else ()
    return escape_untrusted(known[0], longest=_MAX_BUTTON_NAME_WIDTH) if known else "this server"


def _digest(blob: bytes) -> str:
    """Of a whole blob; the fingerprint of a certificate is that of its key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def _kept(identity: Identity) -> tuple[str, str]:
    if identity.constraints is None:
        return ("Your key", "stays in the key store; its agent no longer offers it")
    return ("The key", "is forgotten: the agent has the only copy that Litterbox knows of")
