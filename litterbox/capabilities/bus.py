"""A connection to a login's session bus (D-Bus), used by one task: calls, and the signals that came meanwhile."""

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
    """The service answered with an error, not at all, or the bus went away."""


@attrs.frozen
class Bus:
    """An open connection."""

    connection: DBusConnection
    _signals: list[Message] = attrs.field(factory=list)

    async def call(self, message: Message) -> tuple[Any, ...]:
        """The body of the answer. Raises BusError where it is an error, or none comes."""
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
        """Have signals sent here. Raises BusError."""
        for rule in rules:
            await self.call(message_bus.AddMatch(rule))

    async def signal(self) -> tuple[str, tuple[Any, ...]]:
        """The next signal: its name and its body. Raises BusError."""
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
    """The first of the buses that can be reached, with its address, for the length of the block; None where none is."""
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
    """The address of the bus that belongs to the user rather than to one login, where there is one."""
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), "bus")
    return [f"unix:path={path}"] if os.path.exists(path) else []
