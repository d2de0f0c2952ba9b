"""The client of a request: who asked, and the connection as far as the request may use it."""

from collections.abc import Awaitable, Callable

import attrs

from litterbox.capabilities.replies import Error, Reply
from litterbox_guest.messages import GuestMessage


@attrs.frozen(kw_only=True)
class Client:
    """`peer` is the process that connected. `features` are the features that both sides know.

    `send` sends one reply. `receive` waits for the next message of the connection, which then belongs to the request.
    It raises messages.BadMessage where that is not a valid message; the client has then been told. A client that hangs
    up cancels its request.
    """

    peer: int
    features: frozenset[str]
    send: Callable[[Reply], Awaitable[None]]
    receive: Callable[[], Awaitable[GuestMessage]]

    async def refuse(self, reason: str, *, status: int | None = None) -> None:
        """Answer with an error. `status` is the exit status that the program which asked should have."""
        await self.send(Error(reason=reason, status=status))
