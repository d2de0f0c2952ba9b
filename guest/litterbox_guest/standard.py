"""The standard streams of a command in the box, which its caller may have closed, or nobody may read any more.

Every interceptor imports this: os only.
"""

import os

OUTPUT = 1
ERROR = 2


def say(text: str, descriptor: int = OUTPUT) -> None:
    """Write `text` there, as UTF-8 whatever the locale. Where nobody takes it, it is lost, and nothing else is."""
    left = text.encode("utf-8", "surrogateescape")
    try:
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        return


def occupy() -> None:
    """Have no other file of ours get the number of a standard stream that is closed; using it still fails."""
    for descriptor, mode in ((0, os.O_WRONLY), (OUTPUT, os.O_RDONLY), (ERROR, os.O_RDONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # it gets the lowest number that is free
