"""A connection to the session bus of a login (D-Bus), used by one task: makes calls and receives signals.

jeepney has a router for this, which is not used. It receives in a task of its own. A bus that ends is then a
cancellation of the caller and not an error of the call that waits, and every error leaves in an exception group. It
also drops signals without a word when the caller is slow, so that a notification could stay open forever.
"""

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import trio
from jeepney import HeaderFields, MatchRule, Message, MessageType, message_bus
from jeepney.io.common import RouterClosed
from jeepney.io.trio import DBusConnection, open_dbus_connection

from litterbox.errors import LitterboxError

TIMEOUT: Final = 10.0  # seconds for a service to answer

_UNREACHABLE: Final = (OSError, ValueError, RuntimeError, trio.BrokenResourceError, trio.EndOfChannel, RouterClosed)

_logger = logging.getLogger(__name__)


class BusError(LitterboxError):
    """The service answered with an error or did not answer, or the bus has ended."""


@attrs.frozen
class Bus:
    """An open connection. State: the signals that came during a call."""

    connection: DBusConnection
    _signals: list[Message] = attrs.field(factory=list)

    async def call(self, message: Message) -> tuple[Any, ...]:
        """Make a call. Returns the body of the answer. Raises BusError where it is an error, or none comes."""
        serial = next(self.connection.outgoing_serial)
        with trio.move_on_after(TIMEOUT):
            await _connected(self.connection.send(message, serial=serial))
            while True:
                answer: Message = await _connected(self.connection.receive())
                if answer.header.fields.get(HeaderFields.reply_serial) == serial:
                    if answer.header.message_type is MessageType.error:
                        raise BusError(_reason(answer))
                    return tuple(answer.body)
                self._signals.append(answer)
        raise BusError("it does not answer")

    async def listen(self, *rules: MatchRule) -> None:
        """Subscribe to the signals that match one of the rules. Raises BusError."""
        for rule in rules:
            await self.call(message_bus.AddMatch(rule))

    async def signal(self) -> tuple[str, tuple[Any, ...]]:
        """Wait for the next signal. Returns its name and its body. Raises BusError."""
        while True:
            message = self._signals.pop(0) if self._signals else await _connected(self.connection.receive())
            if message.header.message_type is MessageType.signal:
                return str(message.header.fields[HeaderFields.member]), tuple(message.body)


async def _connected(waiting: Awaitable[Message]) -> Message:
    try:
        return await waiting
    except (trio.EndOfChannel, trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise BusError("the user's desktop went away") from error


def _reason(answer: Message) -> str:
    words = [part for part in answer.body if isinstance(part, str)]
    return words[0] if words else "no reason given"


@asynccontextmanager
async def open_first(addresses: Sequence[str]) -> AsyncIterator[tuple[Bus, str] | None]:
    """Connect to the first of the buses that can be reached. Yields it with its address, or None where none can be."""
    for address in addresses:
        connection = await _connect(address)
        if connection is not None:
            async with connection:
                yield Bus(connection), address
                return
    yield None


async def _connect(address: str) -> DBusConnection | None:
    try:
        with trio.move_on_after(TIMEOUT):
            return await open_dbus_connection(address)
    except* _UNREACHABLE as errors:
        _logger.info("the bus %s cannot be reached: %s", address, errors.exceptions[0])
    return None


def own_bus() -> list[str]:
    """Return the address of the user's own bus, which is not bound to one login, if there is such a bus."""
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), "bus")
    return [f"unix:path={path}"] if os.path.exists(path) else []
