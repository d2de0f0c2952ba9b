"""The SSH agent on a socket: its connections, each in a task of its own.

How requests are answered lives in answering.py.
"""

import logging
import math
import os
import time
from collections.abc import Callable
from typing import Final

import trio

from litterbox.agent.answering import Conversation
from litterbox.agent.decisions import Agent, Decisions
from litterbox.agent.protocol import NEED_DATA, AgentConnection, FramingError, encode
from litterbox.connections import Connection, Connections, Refused, Totals
from litterbox.hangup import open_hangups
from litterbox.limits import MAX_CONNECTIONS, MAX_HELD_BY_AGENT, MAX_SMALL_MESSAGE, MESSAGE_TIMEOUT
from litterbox.peers import Peer, may_use_the_box

_READ_SIZE: Final = 16 * 1024  # bytes; all but the largest requests come in one piece
_SPIN_TIMEOUT: Final = 60e-6  # seconds; about what it costs to be put to sleep and woken

_logger = logging.getLogger(__name__)


async def serve_agent(
    listener: trio.SocketListener,
    agent: Agent,
    *,
    accepts: Callable[[Peer], bool] = may_use_the_box,
    most: int = MAX_CONNECTIONS,
    totals: Totals | None = None,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the SSH agent protocol on `listener`, a Unix socket's, until cancelled.

    `agent.ask` is cancelled when the client that it asks for hangs up. Connections of a peer that `accepts` refuses,
    and those beyond `most`, are closed at once. What goes wrong in a connection ends that connection and is logged.
    Closes the listener and every connection on the way out; the socket's path is the caller's.
    """
    connections = Connections(
        f"the agent of {agent.box or 'this host'}", accepts, MAX_HELD_BY_AGENT, most, totals or Totals()
    )

    async def handle(stream: trio.SocketStream) -> None:
        try:
            with stream.socket as socket, connections.admit(socket) as connection:
                conversation = Conversation(agent, Decisions(agent, hangups, socket, connection.peer.pid))
                await _converse(socket.fileno(), connection, conversation, alone=lambda: connections.open == 1)
        except Refused as error:
            _logger.warning("%s: agent connection closed: %s", agent.who, error)
        except FramingError as error:
            _logger.warning("%s: agent connection closed: the client sent %s", agent.who, error)
        except OSError as error:
            _logger.info("%s: agent connection lost: %s", agent.who, error)
        except Exception:
            _logger.exception("%s: agent connection closed: a fault of Litterbox", agent.who)

    async with open_hangups() as hangups, trio.open_nursery() as nursery:
        nursery.start_soon(agent.added.expire)
        await trio.serve_listeners(handle, [listener], handler_nursery=nursery, task_status=task_status)


async def _converse(
    descriptor: int, connection: Connection, conversation: Conversation, *, alone: Callable[[], bool]
) -> None:
    """Answer the requests of one connection in order, until its end. Raises FramingError, Refused and OSError.

    Reads and writes the descriptor itself: trio's own send and recv yield to the scheduler once more each, which
    would cost a fifth of a signature's time. A client that is `alone` and sends its next request at once is not slept
    for: that would cost as much again.

    A request and its answer are held until the answer is sent. Nothing of either is referred to while the next one is
    waited for.
    """
    incoming = AgentConnection()
    deadline = math.inf
    answered = False
    while True:
        data = _spin_for_data(connection) if answered and alone() else None
        if data is None:
            data = await connection.receive(_READ_SIZE, deadline=deadline)
        else:
            await trio.lowlevel.checkpoint()
        if not data:
            return
        incoming.receive_data(data)
        del data
        answered = False
        if incoming.unread > MAX_SMALL_MESSAGE:
            await connection.turn()
        while (request := incoming.next_request()) is not NEED_DATA:
            if answered:  # others have their turn between two requests that came together
                await trio.lowlevel.checkpoint()
            response = encode(await conversation.answer(request))
            connection.hold(incoming.unread + len(response))
            await _send(descriptor, connection, response)
            del response
            answered = True
        connection.hold(incoming.unread)
        if not incoming.unread:
            deadline = math.inf
        elif answered or deadline == math.inf:
            deadline = trio.current_time() + MESSAGE_TIMEOUT


def _spin_for_data(connection: Connection) -> bytes | None:
    until = time.perf_counter() + _SPIN_TIMEOUT
    data = connection.read(_READ_SIZE)
    while data is None and time.perf_counter() < until:
        data = connection.read(_READ_SIZE)
    return data


async def _send(descriptor: int, connection: Connection, outgoing: bytes) -> None:
    """Write it all; waits only where the client does not read, and not for ever. Raises Refused and OSError."""
    try:
        written = os.write(descriptor, outgoing)
    except BlockingIOError:
        written = 0
    if written == len(outgoing):
        return
    connection.check()
    with trio.move_on_after(MESSAGE_TIMEOUT):
        while outgoing := outgoing[written:]:
            await trio.lowlevel.wait_writable(descriptor)
            try:
                written = os.write(descriptor, outgoing)
            except BlockingIOError:
                written = 0
    if outgoing:
        raise Refused("it does not read its answers")
