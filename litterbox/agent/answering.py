"""Answering the requests of one connection: what may be, who is asked, what is written down, what is done.

Nothing is granted before its line is in the audit log. What a request is, is requests.py's; which keys there are,
stored.py's and added.py's; who may use which, policy.py's; what a person is asked, questions.py's.
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import attrs

from litterbox import workers
from litterbox.agent import questions
from litterbox.agent.added import describe
from litterbox.agent.binding import BindingError, SessionBind, verify
from litterbox.agent.decisions import Agent, Decisions
from litterbox.agent.identities import Identity
from litterbox.agent.policy import Go, Refuse, on_signing, sees
from litterbox.agent.private_keys import BadKey, check_sizes, fingerprint
from litterbox.agent.protocol import (
    MAX_MESSAGE,
    ExtensionFailure,
    ExtensionResponse,
    Failure,
    IdentitiesAnswer,
    Response,
    SignResponse,
    Success,
)
from litterbox.agent.purpose import Contradiction, Login, Purpose, purpose
from litterbox.agent.questions import Requester
from litterbox.agent.requests import (
    AddIdentity,
    Lock,
    Malformed,
    Query,
    RemoveAllIdentities,
    RemoveAllRsaIdentities,
    RemoveIdentity,
    Request,
    RequestIdentities,
    SignRequest,
    Unlock,
    Unsupported,
)
from litterbox.agent.words import name_in_words, purpose_in_words
from litterbox.confirm.question import Answer
from litterbox.confirm.said import logged
from litterbox.errors import LitterboxError

EXTENSIONS: Final = ("query", "session-bind@openssh.com")

_MAX_KEY_LENGTH: Final = 60  # columns of a key's name in the log, which has the fingerprint too
_LISTED_ENTRY: Final = 8  # bytes of a list beside a key's blob and comment
_MAX_LIST_LENGTH: Final = MAX_MESSAGE - 5

_WORDS: Final[Mapping[type, str]] = MappingProxyType(
    {
        RequestIdentities: "list",
        SignRequest: "sign",
        AddIdentity: "add",
        RemoveIdentity: "remove",
        RemoveAllIdentities: "remove all",
        RemoveAllRsaIdentities: "remove all of version 1",
        Lock: "lock",
        Unlock: "unlock",
        Query: "query",
        SessionBind: "session-bind",
    }
)

_logger = logging.getLogger(__name__)


@attrs.frozen
class Conversation:
    """The requests of one connection to `agent`, each decided by `decisions`."""

    agent: Agent
    decisions: Decisions

    async def answer(self, request: Request) -> Response:
        """The response to one request: decided, written down and carried out."""
        if self.agent.lock.locked and not isinstance(request, Unlock):
            refused = self.decisions.refuse(_name(request), {}, "the agent is locked")
            return IdentitiesAnswer(()) if isinstance(request, RequestIdentities) else refused
        try:
            return await self._answer(request)
        except LitterboxError as error:
            return self.decisions.refuse(_name(request), {}, error.sentence)

    async def _answer(self, request: Request) -> Response:  # noqa: C901, PLR0911 - a table, a line for each request
        match request:
            case SignRequest():
                return await self._sign(request)
            case RequestIdentities():
                return await self._list()
            case SessionBind():
                return await self._bind(request)
            case Query():
                return self.decisions.done("query", {}, Answer.ALLOWED, ExtensionResponse("query", EXTENSIONS))
            case AddIdentity():
                return await self._add(request)
            case RemoveIdentity(key_blob):
                return await self._remove(key_blob)
            case RemoveAllIdentities():
                return await self._remove_all()
            case RemoveAllRsaIdentities():
                return self.decisions.done(_name(request), {}, Answer.ALLOWED, Success())
            case Lock(passphrase):
                return await self._lock(passphrase)
            case Unlock(passphrase):
                return await self._unlock(passphrase)
            case Unsupported(name=name, reason=reason):
                return self.decisions.refuse(name, {}, reason)
            case Malformed(name=name, reason=reason, extension=extension):
                self.decisions.refuse(name, {}, f"malformed: {reason}")
                return ExtensionFailure() if extension else Failure()

    async def _list(self) -> Response:
        """The keys that this connection may see: those that never ask, where there are any, and nobody is asked."""
        unasked = [key for key in self.agent.stored.listed() if key.ask == "never" and self._sees(key)]
        if unasked:
            return self._listed(unasked, Answer.ALLOWED)
        answer, _asker = await self.decisions.confirm(
            lambda asker: questions.about_list(asker, [key for key in self.agent.listed() if self._sees(key)])
        )
        if not answer.approved:
            return self.decisions.declined("list", {}, answer)
        return self._listed([key for key in self.agent.listed() if self._sees(key)], answer)

    def _listed(self, identities: Sequence[Identity], answer: Answer) -> Response:
        keys = tuple((key.public_blob, key.comment) for key in identities)
        if sum(len(blob) + len(comment) + _LISTED_ENTRY for blob, comment in keys) > _MAX_LIST_LENGTH:
            return self.decisions.refuse("list", {}, "there are more keys than fit in one message")
        return self.decisions.done("list", {"keys": len(keys)}, answer, IdentitiesAnswer(keys))

    async def _sign(self, request: SignRequest) -> Response:
        agent, decisions = self.agent, self.decisions
        what_for = purpose(request.data, request.key_blob, decisions.bindings.hops)
        identity = agent.find(request.key_blob)
        hosts = _hosts(what_for)
        if identity is None:
            asker = await decisions.asker(None, hosts=hosts)
            detail = {"fingerprint": fingerprint(request.key_blob)} | _about(what_for, asker)
            return decisions.refuse("sign", detail, f"{agent.who} has no such key")
        verdict = on_signing(identity, what_for, decisions.bindings, agent.known_hosts.match)
        if verdict is Go.ASK:
            answer, asker = await decisions.confirm(
                lambda asker: questions.about_signing(asker, identity, request, what_for), identity, hosts=hosts
            )
        else:
            answer, asker = Answer.ALLOWED, await decisions.asker(identity, hosts=hosts)
        detail = _key(identity) | _about(what_for, asker)
        if isinstance(verdict, Refuse):
            return decisions.refuse("sign", detail, verdict.reason)
        if not answer.approved:
            return decisions.declined("sign", detail, answer)
        try:
            keys = agent.stored if identity.constraints is None else agent.added
            signature = await keys.sign(identity, request.data, request.flags)
        except LitterboxError as error:
            return decisions.refuse("sign", detail, error.sentence)
        return decisions.done("sign", detail, answer, SignResponse(signature))

    async def _add(self, request: AddIdentity) -> Response:
        added = self.agent.added
        identity = describe(request)
        detail = _key(identity)
        before = added.find(identity.public_blob)
        if before is not None and not self._sees(before):
            return self.decisions.refuse("add", detail, "the key is for other destinations")
        try:
            added.check_room(request)
            check_sizes(request.key)
            answer, _asker = await self.decisions.confirm(
                lambda asker: questions.about_adding(asker, identity, request)
            )
            if not answer.approved:
                return self.decisions.declined("add", detail, answer)
            key = await added.load(request.key)
            added.check_room(request)  # others may have added meanwhile
        except BadKey as error:
            return self.decisions.refuse("add", detail, error.sentence)
        if self.agent.lock.locked:
            return self.decisions.refuse("add", detail, "another client locked the agent meanwhile")
        response = self.decisions.done("add", detail, answer, Success())
        if isinstance(response, Success):
            added.add(request, key)
        return response

    async def _remove(self, key_blob: bytes) -> Response:
        agent = self.agent
        identity = agent.find(key_blob)
        if identity is None or not self._sees(identity):
            return self.decisions.refuse(
                "remove", {"fingerprint": fingerprint(key_blob)}, f"{agent.who} has no such key"
            )
        detail = _key(identity)
        answer, _asker = await self.decisions.confirm(lambda asker: questions.about_removing(asker, identity))
        if not answer.approved:
            return self.decisions.declined("remove", detail, answer)
        response = self.decisions.done("remove", detail, answer, Success())
        if isinstance(response, Success):
            if identity.constraints is None:
                agent.stored.hide(key_blob)
            elif not agent.added.remove(key_blob):
                return Failure()  # it expired, or another client removed it, while the person was asked
        return response

    async def _remove_all(self) -> Response:
        answer, _asker = await self.decisions.confirm(questions.about_removing_all)
        if not answer.approved:
            return self.decisions.declined("remove all", {}, answer)
        response = self.decisions.done("remove all", {}, answer, Success())
        if isinstance(response, Success):
            self.agent.added.clear()
            for identity in self.agent.stored.listed():
                self.agent.stored.hide(identity.public_blob)
        return response

    async def _lock(self, passphrase: bytes) -> Response:
        answer, _asker = await self.decisions.confirm(lambda asker: questions.about_locking(asker, passphrase))
        if not answer.approved:
            return self.decisions.declined("lock", {}, answer)
        if not await self.agent.lock.lock(passphrase):
            return self.decisions.refuse("lock", {}, "another client locked it meanwhile")
        return self.decisions.done("lock", {}, answer, Success())

    async def _unlock(self, passphrase: bytes) -> Response:
        if not self.agent.lock.locked:
            return self.decisions.refuse("unlock", {}, "the agent is not locked")
        answer, _asker = await self.decisions.confirm(lambda asker: questions.about_unlocking(asker, passphrase))
        if not answer.approved:
            return self.decisions.declined("unlock", {}, answer)
        if not await self.agent.lock.unlock(passphrase):
            return self.decisions.refuse("unlock", {}, "the passphrase is wrong")
        return self.decisions.done("unlock", {}, answer, Success())

    async def _bind(self, request: SessionBind) -> Response:
        detail: dict[str, str | int] = {"fingerprint": fingerprint(request.host_key)}
        if request.forwarding:
            detail["purpose"] = "the connection is forwarded to this host"
        bindings = self.decisions.bindings
        try:
            bindings.add(await workers.run_untrusted(verify, request))
        except BindingError as error:
            bindings.failed = True
            self.decisions.refuse("session-bind", detail, error.sentence)
            return ExtensionFailure()
        return self.decisions.done("session-bind", detail, Answer.ALLOWED, Success())

    def _sees(self, identity: Identity) -> bool:
        return sees(identity, self.decisions.bindings, self.agent.known_hosts.match)


def _key(identity: Identity) -> dict[str, str | int]:
    """What the audit log says of a key."""
    return {"key": logged(name_in_words(identity), _MAX_KEY_LENGTH), "fingerprint": identity.fingerprint}


def _hosts(purpose: Purpose) -> tuple[bytes, ...]:
    """The host key that a login is for, as the host showed it, where anything says which that is."""
    match purpose:
        case Contradiction(login=login):
            return _hosts(login)
        case Login(host_key=bytes(host_key), server=server):
            return (server.shown_key if server else host_key,)
    return ()


def _about(purpose: Purpose, asker: Requester) -> dict[str, str | int]:
    """What the audit log says of what would be signed."""
    return {"purpose": logged(purpose_in_words(purpose, asker.names))}


def _name(request: Request) -> str:
    match request:
        case Unsupported(name=name) | Malformed(name=name):
            return name
    return _WORDS[type(request)]
