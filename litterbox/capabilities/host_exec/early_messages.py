"""Receives the messages that a client sends before its host command runs.

A signal withdraws the question to the user. Other messages are kept for the command.
"""

import signal
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from litterbox.capabilities.client import Client
from litterbox.capabilities.host_exec.allowed import CommandRefused
from litterbox_guest.messages import BadMessage, GuestMessage, HostExecResize, HostExecSignal

_MAX_MESSAGES: Final = 16  # that are kept; further ones stay unread until the command runs
_WITHDRAWING: Final = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2")


class Withdrawn(Exception):
    """The client received a signal that ends a program. `status` is the exit status of a program that it ended."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it was withdrawn by SIG{name}")
        self.status = 128 + signal.Signals[f"SIG{name}"]


@attrs.define
class EarlyMessages:
    """The messages that `client` sends while its question is open. `receive` returns them, and then the later ones."""

    client: Client
    _kept: deque[GuestMessage] = attrs.field(factory=deque, init=False)

    async def receive(self) -> GuestMessage:
        """Return the next message, and raise the same errors, as Client.receive."""
        return self._kept.popleft() if self._kept else await self.client.receive()

    async def listen_during(self, decide: Callable[[], Awaitable[str | None]]) -> str | None:
        """Run `decide`, and return its result. A message about a signal that ends a program cancels it.

        Raises Withdrawn in that case, and CommandRefused where `decide` raises it.
        """
        refused: CommandRefused | None = None
        decided = False
        decision = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, nursery.cancel_scope)
            try:
                decision = await decide()
                decided = True
            except CommandRefused as error:  # the nursery would wrap it in an exception group
                refused = error
            nursery.cancel_scope.cancel()
        if refused is not None:
            raise refused
        if not decided:
            last = self._kept[-1]
            assert isinstance(last, HostExecSignal)
            raise Withdrawn(last.signal)
        return decision

    async def _listen(self, scope: trio.CancelScope) -> None:
        """Keep the messages, up to the first one that only a running command can use."""
        while len(self._kept) < _MAX_MESSAGES:
            try:
                message = await self.client.receive()
            except BadMessage:  # the client has been told
                continue
            self._kept.append(message)
            match message:
                case HostExecSignal(signal=name) if name in _WITHDRAWING:
                    scope.cancel()
                    return
                case HostExecSignal() | HostExecResize():
                    continue
                case _:
                    return
