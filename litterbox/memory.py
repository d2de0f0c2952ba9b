"""The memory of a daemon: what a box took is given back to the system when it is gone, so that later forks stay cheap.

Python's own allocator gives memory back a megabyte at a time, and one living object keeps the whole of it; the C
library's gives back single pages. So a daemon runs with the latter (ENVIRONMENT).
"""

import ctypes
import gc
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

# What a daemon's interpreter is started with; its children are not.
ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({"PYTHONMALLOC": "malloc"})

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # mallopt(3)
# A block of this size goes back at once; glibc would let the size grow to 32 MiB. Upload of streams are smaller,
# and free memory for some of them is kept: to get its pages anew for each piece would halve the speed of a stream.
_LARGE: Final = 1024 * 1024  # bytes
_KEPT: Final = 2 * 1024 * 1024  # bytes
_ARENAS: Final = 2  # glibc would have eight a processor, each with free memory of its own
_NEVER: Final = 1 << 30  # collections


def prepare() -> None:
    """Call once, at the start: makes the C library give back what is freed, as far as it can be told to."""
    for name in ENVIRONMENT:
        os.environ.pop(name, None)
    if mallopt := _of_libc("mallopt"):
        for option, value in (
            (_M_TRIM_THRESHOLD, _KEPT),
            (_M_MMAP_THRESHOLD, _LARGE),
            (_M_ARENA_MAX, _ARENAS),
        ):
            mallopt(option, value)


def settle() -> None:
    """Call once, when all is there that lives as long as the daemon.

    The garbage collector then leaves that alone, and looks through all of the rest in `give_back` only: with 8,000
    connections one such look takes 0.3 s, in which nobody is served.
    """
    gc.collect()
    gc.freeze()
    young, middle, _old = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def give_back() -> None:
    """Collect garbage of any age, and give free memory back to the system. Takes milliseconds."""
    gc.collect()
    if malloc_trim := _of_libc("malloc_trim"):
        malloc_trim(0)


def _of_libc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name, as musl's does not."""
    return getattr(ctypes.CDLL(None), name, None)
