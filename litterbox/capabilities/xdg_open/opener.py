"""Opening links on the user's desktop: the newest login's portal where it has one, else the host's `xdg-open`."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from litterbox.capabilities import display
from litterbox.capabilities.xdg_open import portal_calls
from litterbox.capabilities.xdg_open.portal_process import Outcome
from litterbox.capabilities.xdg_open.program import NotChosen, NothingOpens, OpeningError, XdgOpenProgram

MAX_CONCURRENT: Final = 8  # the rest wait for their turn

_logger = logging.getLogger(__name__)

Environment = Mapping[str, str]


@attrs.frozen
class Opener:
    """Opens links; made by `open_opener`."""

    _logins: Callable[[], Sequence[Environment]]
    _program: XdgOpenProgram
    _turn: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(MAX_CONCURRENT))

    async def open(self, uri: str) -> None:
        """Open it on the newest login that can. Raises OpeningError: the newest one's reason, where none can."""
        async with self._turn:
            failure: OpeningError | None = None
            for environment in self._logins():
                try:
                    if await self._open_on(environment, uri):
                        return
                except NotChosen:
                    raise
                except OpeningError as error:
                    failure = failure or error
            raise failure or OpeningError("no login of the box has a desktop to open links on")

    async def _open_on(self, environment: Environment, uri: str) -> bool:
        """Open it there; False where that login is over, as its bus or its display says."""
        address = environment.get("DBUS_SESSION_BUS_ADDRESS")
        if address is not None:
            outcome = await portal_calls.open_uri(address, uri)
            if outcome is not Outcome.NO_PORTAL:
                return outcome is Outcome.OPENED
            _logger.info("the bus %s has no portal that opens links", address)
        if not {"DISPLAY", "WAYLAND_DISPLAY"} & environment.keys():
            raise NothingOpens("no login of the box has a display, and the user's desktop has no portal for links")
        if not await display.listens(environment):
            return False
        await self._program.open(uri, environment)
        return True


@asynccontextmanager
async def open_opener(logins: Callable[[], Sequence[Environment]]) -> AsyncIterator[Opener]:
    """An opener for the length of the block. `logins` are the environments of a program on each, the newest first.

    The block leaves what it has opened as it is: it is the user's.
    """
    async with trio.open_nursery() as nursery:
        yield Opener(logins, XdgOpenProgram(nursery))
        nursery.cancel_scope.cancel()
