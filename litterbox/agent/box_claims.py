"""The names that a box's own known_hosts gives to a host key: claims, from a file that is wholly the box's."""

import os
import stat
from typing import Final

from litterbox.agent.known_hosts import literal_names

_LARGEST: Final = 1024 * 1024  # bytes that are looked at
_MOST: Final = 3


def box_claims(home: str, host_key: bytes) -> tuple[str, ...]:
    """The first names for `host_key` in `home`/.ssh/known_hosts, in full; () where there are none, or no such file.

    No link is followed, nothing but a regular file is read, and no more than a megabyte of it.
    """
    try:
        content = _read(home)
    except OSError:
        return ()
    return literal_names(content.decode("utf-8", "replace"), host_key)[:_MOST]


def _read(home: str) -> bytes:
    folder = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        ssh = os.open(".ssh", os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open("known_hosts", flags, dir_fd=ssh)
    finally:
        os.close(ssh)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return file.read(_LARGEST)
