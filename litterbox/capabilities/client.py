"""The client of a request: who asked, and the connection as far as the request may use it."""

from collections.abc import Awaitable, Callable

import attrs

from litterbox.capabilities import replies
from litterbox_guest import wire
from litterbox_guest.messages import GuestMessage


@attrs.frozen(kw_only=True)
class Client:
    """`peer` is the process that connected. `features` are what both sides know beside the specification.

    `send` sends one frame. `receive` waits for the connection's next message, which then belongs to the request, and
    raises messages.BadMessage for what is none, and has been answered. A client that hangs up cancels its request.
    """

    peer: int
    features: frozenset[str]
    send: Callable[[bytes], Awaitable[None]]
    receive: Callable[[], Awaitable[GuestMessage]]

    async def answer(self, message: dict[str, object]) -> None:
        await self.send(wire.encode(message))

    async def refuse(self, reason: str, **fields: int) -> None:
        """Answer with an error; its `fields` are those of messages.error."""
        await self.answer(replies.error(reason, **fields))
