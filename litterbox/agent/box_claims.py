"""The names that a box's own known_hosts gives to a host key: claims, from a file that is wholly the box's.

The box chooses what is there, how much of it, and when it changes. So it is read in a worker thread, through no link,
only where it is a regular file, and only the beginning of it; and what it says of a key is looked for without taking
the rest of it apart.
"""

import base64
import os
import stat
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from litterbox import workers
from litterbox.agent.known_hosts import split_line
from litterbox.agent.patterns import MAX_NAME, is_pattern

MAX_BYTES: Final = 1024 * 1024  # of the file, that are looked at
MAX_LINES: Final = 16  # that hold a key, and are looked at
MAX_LINE: Final = 4096  # bytes in front of the key
MAX_NAMES: Final = 3  # of one key

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a lease or a FIFO does not make us wait


@attrs.frozen
class _File:
    """What was read, and how the file looked then; no stamp where there is none."""

    stamp: tuple[int, ...] | None = None
    content: bytes = attrs.field(default=b"", repr=False)


class BoxClaims:
    """The claims of the box with that home. State: the file as it was read last; it is read again when it changed."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._file = _File()

    async def __call__(self, host_keys: Sequence[bytes]) -> dict[bytes, tuple[str, ...]]:
        """For each of the public blobs, its first names in `home`/.ssh/known_hosts; () where it has none there."""
        self._file, found = await workers.run_untrusted(_look, self._home, self._file, tuple(host_keys))
        return found


def _look(home: str, before: _File, host_keys: tuple[bytes, ...]) -> tuple[_File, dict[bytes, tuple[str, ...]]]:
    try:
        file = _current(home, before)
    except OSError:
        file = _File()
    return file, {host_key: _names(file.content, host_key) for host_key in host_keys}


def _current(home: str, before: _File) -> _File:
    """Raises OSError, above all where there is no such file."""
    folder = os.open(home, _FOLDER)
    try:
        ssh = os.open(".ssh", _FOLDER, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        descriptor = os.open("known_hosts", _FILE, dir_fd=ssh)
    finally:
        os.close(ssh)
    try:  # not open(): that leaves the descriptor of a folder open when it refuses it
        status = os.fstat(descriptor)
        stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if stamp == before.stamp:
            return before
        return _File(stamp, os.read(descriptor, MAX_BYTES) if stat.S_ISREG(status.st_mode) else b"")
    finally:
        os.close(descriptor)


def _names(content: bytes, host_key: bytes) -> tuple[str, ...]:
    """The names that stand in full beside the plain key, less those of lines that take names out again."""
    found: dict[str, None] = {}
    for line in _lines(content, base64.b64encode(host_key)):
        marker, hosts, key = split_line(line.decode("utf-8", "replace"))
        names = hosts.split(",")
        if marker or key != host_key or any(name.startswith("!") for name in names):
            continue
        found |= dict.fromkeys(
            name for name in names if 0 < len(name) <= MAX_NAME and not is_pattern(name) and not name.startswith("|")
        )
    return tuple(found)[:MAX_NAMES]


def _lines(content: bytes, key: bytes) -> Iterator[bytes]:
    """The first lines that hold `key`, up to and with it."""
    end = 0
    for _ in range(MAX_LINES):
        at = content.find(key, end)
        if at < 0:
            return
        end = at + len(key)
        earliest = max(0, at - MAX_LINE)
        newline = content.rfind(b"\n", earliest, at)
        if (newline >= 0 or earliest == 0) and content[end : end + 1].strip() == b"":
            yield content[newline + 1 : end]
