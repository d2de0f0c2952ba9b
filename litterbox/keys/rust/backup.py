"""A copy of the old store, beside it, that no other file has to make way for."""

import itertools
import os
import stat

from litterbox import files


def keep(path: str, content: bytes) -> str:
    """Keep `content`, which was read from `path`, in a file of mode 0600 beside it; return where.

    A file that is there already and holds the same is that copy; any other is left alone, and the copy gets another
    name. Raises HostError, and leaves nothing half-written behind.
    """
    for number in itertools.count(1):
        place = f"{path}.v2-backup" if number == 1 else f"{path}.v2-backup-{number}"
        try:
            files.write_new(place, content)
        except FileExistsError:
            if not _holds(place, content):
                continue
        return place
    raise AssertionError("there is always another number")


def _holds(place: str, content: bytes) -> bool:
    """Say whether the user alone can read the file there, and it holds `content`."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        is_private = stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077
        if not is_private or status.st_size != len(content):
            return False
        with open(descriptor, "rb", closefd=False) as file:
            return file.read() == content
    finally:
        os.close(descriptor)
