"""The agent on a socket: it asks before it lists or signs, and writes down what was decided.

What a request is, is protocol.py's; which keys there are, identities.py's; what a person is asked,
questions.py's.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs
import trio

from litterbox import peers
from litterbox.agent import questions
from litterbox.agent.hangup import Hangups, open_hangups
from litterbox.agent.identities import Identities, fingerprint
from litterbox.agent.protocol import (
    NEED_DATA,
    AgentConnection,
    Failure,
    FramingError,
    IdentitiesAnswer,
    Malformed,
    Request,
    RequestIdentities,
    Response,
    SignRequest,
    SignResponse,
    Unsupported,
    encode,
)
from litterbox.agent.purpose import purpose
from litterbox.audit import AuditError, AuditLog
from litterbox.confirm.question import Answer, Question
from litterbox.errors import LitterboxError
from litterbox.peers import Peer, may_use_the_box

MAX_CONNECTIONS: Final = 4096
_READ_SIZE: Final = 16 * 1024  # bytes; all but the largest requests come in one piece

_logger = logging.getLogger(__name__)

Ask = Callable[[Question], Awaitable[Answer]]

# Who decided, for the audit log; what is not here was decided by the person at the dialog.
_DECIDED_BY: Final = {
    Answer.REMEMBERED: "session approval",
    Answer.TIMED_OUT: "timeout",
    Answer.WITHDRAWN: "disconnect",
    Answer.NOT_SHOWN: "no display",
    Answer.PAUSED: "pause",
    Answer.CROWDED: "full queue",
}


async def serve_agent(
    listener: trio.SocketListener,
    *,
    box: str,
    identities: Identities,
    ask: Ask,
    audit: AuditLog,
    accepts: Callable[[Peer], bool] = may_use_the_box,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the SSH agent protocol on `listener`, a Unix socket's, until cancelled.

    `ask` is cancelled when the client that it asks for hangs up. Connections of a peer that `accepts` refuses,
    and those beyond MAX_CONNECTIONS, are closed at once. What goes wrong in a connection ends that
    connection and is logged. Closes the listener and every connection on the way out; the socket's path is
    the caller's.
    """
    open_connections = 0

    async def handle(stream: trio.SocketStream) -> None:
        nonlocal open_connections
        open_connections += 1
        try:
            with stream.socket as connection:
                if open_connections > MAX_CONNECTIONS:
                    _logger.warning("%s: more than %d agent connections: closed", box, MAX_CONNECTIONS)
                    return
                peer = peers.of(connection)
                if not accepts(peer):
                    _logger.warning("%s: agent connection of uid %d (process %d) refused", box, peer.uid, peer.pid)
                    return
                agent = _Agent(box, identities, ask, audit, hangups, connection, peer.pid)
                await _converse(connection, agent)
        except FramingError as error:
            _logger.warning("%s: agent connection closed: the client sent %s", box, error)
        except OSError as error:
            _logger.info("%s: agent connection lost: %s", box, error)
        except Exception:
            _logger.exception("%s: agent connection closed: a fault of Litterbox", box)
        finally:
            open_connections -= 1

    async with open_hangups() as hangups, trio.open_nursery() as connections:
        await trio.serve_listeners(handle, [listener], handler_nursery=connections, task_status=task_status)


async def _converse(connection: trio.socket.SocketType, agent: "_Agent") -> None:
    """Answer the requests of one connection in order, until its end. Raises FramingError and OSError."""
    incoming = AgentConnection()
    while data := await connection.recv(_READ_SIZE):
        incoming.receive_data(data)
        while (request := incoming.next_request()) is not NEED_DATA:
            outgoing = memoryview(encode(await agent.answer(request)))
            while outgoing:
                outgoing = outgoing[await connection.send(outgoing) :]


@attrs.frozen
class _Agent:
    """What answering one connection's requests takes."""

    box: str
    identities: Identities
    ask: Ask
    audit: AuditLog
    hangups: Hangups
    connection: trio.socket.SocketType
    pid: int

    async def answer(self, request: Request) -> Response:
        """The response to one request: decided, carried out and written down."""
        match request:
            case RequestIdentities():
                return await self._list()
            case SignRequest():
                return await self._sign(request)
            case Unsupported(name=name):
                return self._refuse(name, {}, "not built yet")
            case Malformed(name=name, reason=reason):
                return self._refuse(name, {}, f"malformed: {reason}")

    async def _list(self) -> Response:
        answer = await self._confirm(questions.about_list(self.box))
        if not answer.approved:
            return self._declined("list", {}, answer)
        try:
            keys = self.identities.listed()
        except LitterboxError as error:
            return self._refuse("list", {}, error.sentence)
        response = IdentitiesAnswer(tuple((key.public_blob, key.comment) for key in keys))
        return self._approved("list", {"keys": len(keys)}, answer, response)

    async def _sign(self, request: SignRequest) -> Response:
        what_for = purpose(request.data, request.key_blob)
        detail = {"fingerprint": fingerprint(request.key_blob), "purpose": questions.in_words(what_for)}
        try:
            identity = self.identities.find(request.key_blob)
            if identity is None:
                return self._refuse("sign", detail, f"no such key is attached to {self.box}")
            detail = {"key": identity.name, **detail}
            answer = await self._confirm(questions.about_signing(self.box, identity, request, what_for))
            if not answer.approved:
                return self._declined("sign", detail, answer)
            signature = await self.identities.sign(identity, request.data, request.flags)
        except LitterboxError as error:
            return self._refuse("sign", detail, error.sentence)
        return self._approved("sign", detail, answer, SignResponse(signature))

    async def _confirm(self, question: Question) -> Answer:
        with self.hangups.cancelling(self.connection) as still_there:
            answer = await self.ask(question)
        return Answer.WITHDRAWN if still_there.cancelled_caught else answer

    def _approved(self, what: str, detail: Mapping[str, str | int], answer: Answer, response: Response) -> Response:
        decision = Answer.APPROVED_SESSION if answer is Answer.APPROVED_SESSION else Answer.APPROVED_ONCE
        return response if self._record(what, detail, decision.value, _by(answer)) else Failure()

    def _declined(self, what: str, detail: Mapping[str, str | int], answer: Answer) -> Response:
        _logger.info("%s: %s declined: %s", self.box, what, answer.value)
        self._record(what, detail, "declined", _by(answer))
        return Failure()

    def _refuse(self, what: str, detail: Mapping[str, str | int], reason: str) -> Response:
        _logger.warning("%s: %s refused: %s", self.box, what, reason)
        self._record(what, {**detail, "reason": reason}, "refused", "policy")
        return Failure()

    def _record(self, what: str, detail: Mapping[str, str | int], decision: str, by: str) -> bool:
        """Write the line; say whether it could be, for without it nothing is granted."""
        try:
            self.audit.record(what=what, detail={**detail, "peer": self.pid}, decision=decision, by=by)
        except AuditError as error:
            _logger.warning("%s: %s refused: %s", self.box, what, error.sentence)
            return False
        return True


def _by(answer: Answer) -> str:
    return _DECIDED_BY.get(answer, "dialog")
