"""A conversation with an agent, without a socket: requests as bytes in, the response's bytes out."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext

import asyncssh
import attrs
from asyncssh.packet import Byte, SSHPacket, String, UInt32

from litterbox.agent.added import AddedKeys
from litterbox.agent.answering import Conversation
from litterbox.agent.decisions import Agent, Approve, Claims, Decisions, no_claims
from litterbox.agent.identities import Identity
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.protocol import NEED_DATA, AgentConnection, encode
from litterbox.audit import AuditLog
from litterbox.confirm.question import Answer, Question

FAILURE, SUCCESS, EXTENSION_FAILURE = b"\x05", b"\x06", b"\x1c"
EMPTY_LIST = b"\x0c\0\0\0\0"
PEER = 4711

LIST = Byte(11)
REMOVE_ALL = Byte(19)
QUERY = Byte(27) + String("query")


def add(key: asyncssh.SSHKey, comment: str = "mine", constraints: bytes = b"") -> bytes:
    return (
        Byte(25 if constraints else 17)
        + String(key.algorithm)
        + key.encode_ssh_private()
        + String(comment)
        + constraints
    )


def remove(blob: bytes) -> bytes:
    return Byte(18) + String(blob)


def sign(blob: bytes, data: bytes = b"data", flags: int = 0) -> bytes:
    return Byte(13) + String(blob) + String(data) + UInt32(flags)


def lock(passphrase: bytes) -> bytes:
    return Byte(22) + String(passphrase)


def unlock(passphrase: bytes) -> bytes:
    return Byte(23) + String(passphrase)


def bind(host: asyncssh.SSHKey, session: bytes = b"s" * 32, *, forwarding: bool = False) -> bytes:
    signature = host.sign(session, host.sig_algorithms[0])
    return b"".join(
        (
            Byte(27),
            String("session-bind@openssh.com"),
            String(host.public_data),
            String(session),
            String(signature),
            Byte(forwarding),
        )
    )


@attrs.define
class StoredKeys:
    """Keys of a store that is in memory, and signs with what it is given."""

    keys: dict[Identity, asyncssh.SSHKey] = attrs.field(factory=dict)

    def listed(self) -> Sequence[Identity]:
        return list(self.keys)

    def find(self, public_blob: bytes) -> Identity | None:
        return next((identity for identity in self.keys if identity.public_blob == public_blob), None)

    def hide(self, public_blob: bytes) -> None:
        self.keys = {identity: key for identity, key in self.keys.items() if identity.public_blob != public_blob}

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes:
        key = self.keys[identity]
        return key.sign(data, key.sig_algorithms[0])


class _NoHangups:
    def cancelling(self, _connection: object) -> nullcontext[None]:
        return nullcontext()


@attrs.define
class Talk:
    """One agent of the box `work`, to which any number of connections are made with `connect`."""

    audit: AuditLog
    stored: StoredKeys = attrs.field(factory=StoredKeys)
    added: AddedKeys = attrs.field(factory=AddedKeys)
    known_hosts: KnownHosts = attrs.field(factory=lambda: KnownHosts([]))
    approve: Approve = "ask"
    reply: Answer | Callable[[Question], Awaitable[Answer]] = Answer.APPROVED_ONCE
    asked: list[Question] = attrs.field(factory=list)
    claims: Claims = no_claims
    program: str | None = None  # what the client says that it is, where a test has `peer_command.command_line` say this
    _agent: Agent | None = None

    def connect(self) -> Callable[[bytes], Awaitable[bytes]]:
        """A new connection: a function from one request's bytes to its response's, both without the length."""
        if self._agent is None:
            self._agent = Agent(
                box="work",
                stored=self.stored,
                added=self.added,
                known_hosts=self.known_hosts,
                claims=self.claims,
                ask=self._ask,
                audit=self.audit,
                approve=self.approve,
            )
        conversation = Conversation(self._agent, Decisions(self._agent, _NoHangups(), None, PEER))

        async def ask(message: bytes) -> bytes:
            connection = AgentConnection()
            connection.receive_data(String(message))
            request = connection.next_request()
            assert request is not NEED_DATA
            return encode(await conversation.answer(request))[4:]

        return ask

    async def _ask(self, question: Question) -> Answer:
        self.asked.append(question)
        return self.reply if isinstance(self.reply, Answer) else await self.reply(question)


def listed(answer: bytes) -> list[tuple[bytes, bytes]]:
    """The keys of an answer to LIST, as blob and comment."""
    packet = SSHPacket(answer)
    assert packet.get_byte() == 12
    return [(packet.get_string(), packet.get_string()) for _ in range(packet.get_uint32())]


def read_audit(path: str) -> list[dict]:
    with open(path) as file:
        return [json.loads(line) for line in file]
