"""What a client says before its host command runs: a signal that withdraws the question, and what the command gets."""

import signal
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import trio

from litterbox.capabilities.client import Client
from litterbox.capabilities.host_exec.allowed import CommandRefused
from litterbox_guest.messages import BadMessage, GuestMessage, HostExecResize, HostExecSignal

_MAX_MESSAGES: Final = 16  # that are kept; more of them wait where all messages wait
_WITHDRAWING: Final = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2")


class Withdrawn(Exception):
    """The client had a signal that ends a program; `status` is the exit status that goes with it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it was withdrawn by SIG{name}")
        self.status = 128 + signal.Signals[f"SIG{name}"]


@attrs.define
class EarlyMessages:
    """The messages that `client` sent while its question was open. `receive` gives them first, then the later ones."""

    client: Client
    _kept: deque[GuestMessage] = attrs.field(factory=deque, init=False)

    async def receive(self) -> GuestMessage:
        """As Client.receive."""
        return self._kept.popleft() if self._kept else await self.client.receive()

    async def listen_during(self, decide: Callable[[], Awaitable[str | None]]) -> str | None:
        """Return what `decide` returns, and cancel it at a signal that ends a program.

        Raises Withdrawn, and CommandRefused where `decide` does.
        """
        refused: CommandRefused | None = None
        decided = False
        decision = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, nursery.cancel_scope)
            try:
                decision = await decide()
                decided = True
            except CommandRefused as error:  # it would leave the nursery in a group
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
        """Keep what comes, up to the first message that is only for a running command."""
        while len(self._kept) < _MAX_MESSAGES:
            try:
                message = await self.client.receive()
            except BadMessage:  # it has been answered
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
