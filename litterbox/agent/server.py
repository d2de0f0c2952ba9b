"""The SSH agent on a socket: its connections, each in a task of its own.

What a request is answered is answering.py's.
"""

import logging
import os
import time
from collections.abc import Callable
from typing import Final

import trio

from litterbox import peers
from litterbox.agent.added import AddedKeys
from litterbox.agent.answering import Conversation
from litterbox.agent.decisions import Agent, Approve, Ask, Claims, Decisions, no_claims
from litterbox.agent.identities import Identities
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.protocol import NEED_DATA, AgentConnection, FramingError, encode
from litterbox.audit import AuditLog
from litterbox.hangup import open_hangups
from litterbox.peers import Peer, may_use_the_box

MAX_CONNECTIONS: Final = 4096
_READ_SIZE: Final = 16 * 1024  # bytes; all but the largest requests come in one piece
_MOMENT: Final = 60e-6  # seconds; about what it costs to be put to sleep and woken

_logger = logging.getLogger(__name__)


async def serve_agent(
    listener: trio.SocketListener,
    *,
    box: str | None,
    stored: Identities,
    added: AddedKeys,
    known_hosts: KnownHosts,
    ask: Ask,
    audit: AuditLog,
    claims: Claims = no_claims,
    approve: Approve = "ask",
    accepts: Callable[[Peer], bool] = may_use_the_box,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the SSH agent protocol on `listener`, a Unix socket's, until cancelled.

    `ask` is cancelled when the client that it asks for hangs up; the other arguments are answering.Agent's.
    Connections of a peer that `accepts` refuses, and those beyond MAX_CONNECTIONS, are closed at once. What goes
    wrong in a connection ends that connection and is logged. Closes the listener and every connection on the way
    out; the socket's path is the caller's.
    """
    agent = Agent(
        box=box,
        stored=stored,
        added=added,
        known_hosts=known_hosts,
        claims=claims,
        ask=ask,
        audit=audit,
        approve=approve,
    )
    open_connections = 0

    async def handle(stream: trio.SocketStream) -> None:
        nonlocal open_connections
        open_connections += 1
        try:
            with stream.socket as connection:
                if open_connections > MAX_CONNECTIONS:
                    _logger.warning("%s: more than %d agent connections: closed", agent.who, MAX_CONNECTIONS)
                    return
                peer = peers.of(connection)
                if not accepts(peer):
                    _logger.warning(
                        "%s: agent connection of uid %d (process %d) refused", agent.who, peer.uid, peer.pid
                    )
                    return
                conversation = Conversation(agent, Decisions(agent, hangups, connection, peer.pid))
                await _converse(connection, conversation, alone=lambda: open_connections == 1)
        except FramingError as error:
            _logger.warning("%s: agent connection closed: the client sent %s", agent.who, error)
        except OSError as error:
            _logger.info("%s: agent connection lost: %s", agent.who, error)
        except Exception:
            _logger.exception("%s: agent connection closed: a fault of Litterbox", agent.who)
        finally:
            open_connections -= 1

    async with open_hangups() as hangups, trio.open_nursery() as nursery:
        nursery.start_soon(added.expire)
        await trio.serve_listeners(handle, [listener], handler_nursery=nursery, task_status=task_status)


async def _converse(
    connection: trio.socket.SocketType, conversation: Conversation, *, alone: Callable[[], bool]
) -> None:
    """Answer the requests of one connection in order, until its end. Raises FramingError and OSError.

    Reads and writes the descriptor itself: trio's own send and recv yield to the scheduler once more each, which
    would cost a fifth of a signature's time. A client that is `alone` and sends its next request at once is not slept
    for: that would cost as much again.
    """
    descriptor = connection.fileno()
    incoming = AgentConnection()
    answered = False
    while True:
        data = _within_a_moment(descriptor) if answered and alone() else None
        if data is None:
            await trio.lowlevel.wait_readable(descriptor)
            data = _read(descriptor)
        else:
            await trio.lowlevel.checkpoint()
        if data is None:
            continue
        if not data:
            return
        incoming.receive_data(data)
        answered = False
        while (request := incoming.next_request()) is not NEED_DATA:
            if answered:  # others have their turn between two requests that came together
                await trio.lowlevel.checkpoint()
            await _send(descriptor, encode(await conversation.answer(request)))
            answered = True


def _within_a_moment(descriptor: int) -> bytes | None:
    until = time.perf_counter() + _MOMENT
    data = _read(descriptor)
    while data is None and time.perf_counter() < until:
        data = _read(descriptor)
    return data


def _read(descriptor: int) -> bytes | None:
    """What came, b"" at the end, None where nothing did."""
    try:
        return os.read(descriptor, _READ_SIZE)
    except BlockingIOError:
        return None


async def _send(descriptor: int, outgoing: bytes) -> None:
    """Write it all; waits only where the client does not read."""
    while outgoing:
        try:
            outgoing = outgoing[os.write(descriptor, outgoing) :]
        except BlockingIOError:
            await trio.lowlevel.wait_writable(descriptor)
