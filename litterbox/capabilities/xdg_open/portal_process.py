"""A process that calls the desktop's portal in the daemon's place: `python -m … BUS-ADDRESS SECONDS`.

The portal looks at /proc/PID/root of whoever calls it, and refuses whom it cannot look at. The daemon holds the vault
key, so nobody may look at it. This process knows nothing worth keeping, and lives for one link.

The link is a line on its standard input, so that no list of processes shows it. The end of standard input takes the
request back, also where the daemon was killed. The exit status is an `Outcome`; a reason stands on standard output.
"""

import os
import sys
from enum import IntEnum

import trio

from litterbox.capabilities.bus import open_first
from litterbox.capabilities.xdg_open import portal
from litterbox.capabilities.xdg_open.program import NotChosen, OpeningError


class Outcome(IntEnum):
    """What became of the link. Python's own failures have the statuses 1 and 2."""

    OPENED = 0
    NO_BUS = 10
    NO_PORTAL = 11
    NOT_CHOSEN = 12
    FAILED = 13
    TAKEN_BACK = 14


async def open_link(address: str, patience: float) -> tuple[Outcome, str]:
    """Read a link and open it; returns the outcome and its reason."""
    outcome, reason = Outcome.TAKEN_BACK, ""
    async with trio.lowlevel.FdStream(os.dup(0)) as source, trio.open_nursery() as nursery:
        link = b""
        while not link.endswith(b"\n"):
            piece = await source.receive_some()
            if not piece:
                return outcome, reason
            link += piece
        nursery.start_soon(_cancel_at_the_end, source, nursery.cancel_scope)
        outcome, reason = await _opened(address, link.removesuffix(b"\n").decode(), patience)
        nursery.cancel_scope.cancel()
    return outcome, reason


async def _cancel_at_the_end(source: trio.lowlevel.FdStream, scope: trio.CancelScope) -> None:
    while await source.receive_some():
        pass
    scope.cancel()


async def _opened(address: str, uri: str, patience: float) -> tuple[Outcome, str]:
    async with open_first([address]) as found:
        if found is None:
            return Outcome.NO_BUS, ""
        bus, _address = found
        if not await portal.is_there(bus):
            return Outcome.NO_PORTAL, ""
        try:
            await portal.open_uri(bus, uri, patience=patience)
        except NotChosen as error:
            return Outcome.NOT_CHOSEN, error.sentence
        except OpeningError as error:
            return Outcome.FAILED, error.sentence
    return Outcome.OPENED, ""


def main() -> int:
    address, patience = sys.argv[1:]
    outcome, reason = trio.run(open_link, address, float(patience))
    sys.stdout.write(reason)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
