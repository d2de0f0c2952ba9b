"""Worker threads for work whose cost a box can choose. There are few, and nothing else waits for them.

trio's default threads serve the daemon itself: Podman, the files of a session, the end of the box. A box that could
fill those would stop the daemon. So everything that a box's bytes can make slow runs here.
"""

from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

import trio

MAX_WORKERS: Final = 2  # at once; the others wait in the order in which they came

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_limiter: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("untrusted work")


async def run_untrusted(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """Return what `function(*arguments)` returns, or raise what it raises; it runs in a thread of its own.

    At most MAX_WORKERS such functions run at once, for all boxes and connections of this event loop together. When this
    is cancelled, it returns at once, and the function runs on to its end, unseen. So `function` must change nothing
    that others see, and it must end: whoever writes it bounds what it works on.
    """
    return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True, limiter=limiter())


def limiter() -> trio.CapacityLimiter:
    """The limiter of this event loop's untrusted work."""
    try:
        return _limiter.get()
    except LookupError:
        _limiter.set(trio.CapacityLimiter(MAX_WORKERS))
        return _limiter.get()
