"""Opens links on the user's desktop, through the portal of a login, or with the host's `xdg-open` without one."""

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

MAX_CONCURRENT: Final = 8  # links at once; others wait for their turn

_logger = logging.getLogger(__name__)

Environment = Mapping[str, str]


@attrs.frozen
class Opener:
    """Opens links. Made by `open_opener`."""

    _logins: Callable[[], Sequence[Environment]]
    _program: XdgOpenProgram
    _turn: trio.CapacityLimiter = attrs.field(factory=lambda: trio.CapacityLimiter(MAX_CONCURRENT))

    async def open(self, uri: str) -> None:
        """Open the link on the newest login that can. Where none can, raises the OpeningError of the newest one."""
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
        """Open the link on one login. Returns False where that login has ended, so that its bus or display is gone."""
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
    """Yield an opener that can be used in the block. `logins` returns the environment of each login, the newest first.

    The programs that it has opened belong to the user. They keep running after the block.
    """
    async with trio.open_nursery() as nursery:
        yield Opener(logins, XdgOpenProgram(nursery))
        nursery.cancel_scope.cancel()
