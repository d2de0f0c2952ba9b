"""A process that calls the desktop's portal for the daemon: `python -m … BUS-ADDRESS SECONDS`.

The portal reads /proc/PID/root of its caller, and refuses a caller where it cannot. The daemon holds the vault key, so
other processes may not read that of the daemon. This process holds no secret, and opens one link.

It reads the link as a line from its standard input, so that no list of processes shows it. The end of standard input
withdraws the request, also where the daemon was killed. The exit status is an `Outcome`; it writes the reason to
standard output.
"""

import os
import sys
from enum import IntEnum

import trio

from litterbox.capabilities.bus import open_first
from litterbox.capabilities.xdg_open import portal
from litterbox.capabilities.xdg_open.program import NotChosen, OpeningError


class Outcome(IntEnum):
    """How the request ended. Failures of Python itself have the statuses 1 and 2."""

    OPENED = 0
    NO_BUS = 10
    NO_PORTAL = 11
    NOT_CHOSEN = 12
    FAILED = 13
    WITHDRAWN = 14


async def open_link(address: str, within: float) -> tuple[Outcome, str]:
    """Read a link and open it. Returns the outcome and its reason."""
    outcome, reason = Outcome.WITHDRAWN, ""
    async with trio.lowlevel.FdStream(os.dup(0)) as source, trio.open_nursery() as nursery:
        link = b""
        while not link.endswith(b"\n"):
            piece = await source.receive_some()
            if not piece:
                return outcome, reason
            link += piece
        nursery.start_soon(_cancel_at_the_end, source, nursery.cancel_scope)
        outcome, reason = await _opened(address, link.removesuffix(b"\n").decode(), within)
        nursery.cancel_scope.cancel()
    return outcome, reason


async def _cancel_at_the_end(source: trio.lowlevel.FdStream, scope: trio.CancelScope) -> None:
    while await source.receive_some():
        pass
    scope.cancel()


async def _opened(address: str, uri: str, within: float) -> tuple[Outcome, str]:
    async with open_first([address]) as found:
        if found is None:
            return Outcome.NO_BUS, ""
        bus, _address = found
        if not await portal.is_there(bus):
            return Outcome.NO_PORTAL, ""
        try:
            await portal.open_uri(bus, uri, within=within)
        except NotChosen as error:
            return Outcome.NOT_CHOSEN, error.sentence
        except OpeningError as error:
            return Outcome.FAILED, error.sentence
    return Outcome.OPENED, ""


def main() -> int:
    address, within = sys.argv[1:]
    outcome, reason = trio.run(open_link, address, float(within))
    sys.stdout.write(reason)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
