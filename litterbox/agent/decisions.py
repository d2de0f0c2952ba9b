"""Who decides about a request of one connection, and the line that says so: a person, an approval, or the policy."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Literal

import attrs
import trio

from litterbox.agent import peer_command
from litterbox.agent.added import AddedKeys
from litterbox.agent.binding import Bindings
from litterbox.agent.identities import Identities, Identity
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.lock import AgentLock
from litterbox.agent.protocol import Failure, Response
from litterbox.agent.questions import Requester
from litterbox.agent.words import HostNames
from litterbox.audit import AuditError, AuditLog
from litterbox.confirm.question import Answer, Question
from litterbox.hangup import Hangups

_MAX_WORDS: Final = 32
_MAX_HOST_LENGTH: Final = 255
_HOST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]")

_logger = logging.getLogger(__name__)

Ask = Callable[[Question], Awaitable[Answer]]
Approve = Literal["ask", "all", "none"]
Detail = Mapping[str, str | int]
Claims = Callable[[Sequence[bytes]], Awaitable[Mapping[bytes, Sequence[str]]]]


async def no_claims(_host_keys: Sequence[bytes]) -> Mapping[bytes, Sequence[str]]:
    """The claims of an agent without a box."""
    return {}


@attrs.frozen(kw_only=True)
class Agent:
    """What all connections of one agent share. `box` is None for an agent of the host's own.

    `claims` gives the names that the box itself knows host keys by. `approve` "all" asks nobody, but for keys
    that were added to be confirmed; "none" refuses all that would be asked.
    """

    box: str | None
    stored: Identities
    added: AddedKeys
    known_hosts: KnownHosts
    claims: Claims = no_claims
    ask: Ask
    audit: AuditLog
    approve: Approve = "ask"
    lock: AgentLock = attrs.field(factory=AgentLock)

    @property
    def who(self) -> str:
        return self.box or "agent"

    def find(self, public_blob: bytes) -> Identity | None:
        """The key of that public half: one that a client added before the same one of the store."""
        return self.added.find(public_blob) or self.stored.find(public_blob)

    def listed(self) -> list[Identity]:
        added = self.added.listed()
        blobs = {identity.public_blob for identity in added}
        return [identity for identity in self.stored.listed() if identity.public_blob not in blobs] + list(added)


@attrs.frozen
class Decisions:
    """The decisions about one connection's requests; `pid` is the process at the other end."""

    agent: Agent
    hangups: Hangups
    connection: trio.socket.SocketType
    pid: int
    bindings: Bindings = attrs.field(factory=Bindings)

    async def confirm(
        self, about: Callable[[Requester], Question], identity: Identity | None = None, *, hosts: Sequence[bytes] = ()
    ) -> tuple[Answer, Requester]:
        """Ask, where the agent asks at all; the use of a key that was added to be confirmed is always asked about.

        `hosts` are the host keys that the question is about, beside those on the way.
        """
        agent = self.agent
        insists = identity is not None and identity.constraints is not None and identity.constraints.confirm
        if agent.approve == "none":
            return Answer.REFUSED, await self.asker(identity, hosts=hosts)
        if agent.approve == "all" and not insists:
            return Answer.ALLOWED, await self.asker(identity, hosts=hosts)
        asker = await self.asker(identity, hosts=hosts, program=peer_command.command_line(self.pid))
        answer, open_before = Answer.WITHDRAWN, not agent.lock.locked
        with self.hangups.cancelling(self.connection):
            answer = await agent.ask(about(asker))
        if open_before and agent.lock.locked:
            answer = Answer.REFUSED  # another client locked the agent while the person was asked
        return answer, asker

    async def asker(
        self, identity: Identity | None, *, hosts: Sequence[bytes] = (), program: str | None = None
    ) -> Requester:
        """Who asks, with the names of the host keys on the way and of `hosts`, as known_hosts files have them now."""
        agent, hops = self.agent, self.bindings.hops
        if not hops and not hosts:
            return Requester(agent.box, hops, _nameless, program)
        # A hash in known_hosts can only be compared with names: those that the key is for, and those that the client
        # speaks of. Its word decides nothing, for known_hosts must hold that name with that key.
        candidates = (*(identity.hosts if identity else ()), *(hosts_in(program) if program else ()))
        keys = dict.fromkeys((*(hop.shown_key for hop in hops), *hosts))
        known = {key: agent.known_hosts.names(key, candidates) for key in keys}
        unknown = [key for key, names in known.items() if not names]
        claimed = await agent.claims(unknown) if unknown else {}
        called = {key: HostNames(names, tuple(claimed.get(key, ()))) for key, names in known.items()}
        return Requester(agent.box, hops, lambda host_key: called.get(host_key, HostNames()), program)

    def done(self, what: str, detail: Detail, answer: Answer, response: Response) -> Response:
        """Write down what is granted; without its line, it is not."""
        decision = Answer.APPROVED_SESSION if answer is Answer.APPROVED_SESSION else Answer.APPROVED_ONCE
        return response if self._record(what, detail, decision.value, answer) else Failure()

    def declined(self, what: str, detail: Detail, answer: Answer) -> Response:
        _logger.info("%s: %s declined: %s", self.agent.who, what, answer.value)
        self._record(what, detail, "declined", answer)
        return Failure()

    def refuse(self, what: str, detail: Detail, reason: str) -> Response:
        _logger.warning("%s: %s refused: %s", self.agent.who, what, reason)
        self._record(what, {**detail, "reason": reason}, "refused", Answer.REFUSED)
        return Failure()

    def _record(self, what: str, detail: Detail, decision: str, answer: Answer) -> bool:
        try:
            detail = {**detail, "peer": self.pid}
            self.agent.audit.record(what=what, detail=detail, decision=decision, by=answer.decided_by)
        except AuditError as error:
            _logger.warning("%s: %s refused: %s", self.agent.who, what, error.sentence)
            return False
        return True


def _nameless(_host_key: bytes) -> HostNames:
    return HostNames()


def hosts_in(command: str) -> tuple[str, ...]:
    """The words of a command line that could be the hosts it speaks of: "ssh -p 22 git@github.com"."""
    words = [word.rpartition("@")[2] for word in command.split()[:_MAX_WORDS]]
    # Nothing but what a host's name can hold: where a wildcard of known_hosts fits, the word is shown as a known name.
    plain = [
        word.lower() for word in words if word and len(word) <= _MAX_HOST_LENGTH and _HOST_CHARACTERS.issuperset(word)
    ]
    ports = [word for word in plain if word.isascii() and word.isdigit()]
    return (*plain, *(f"[{word}]:{port}" for port in ports[:2] for word in plain))
