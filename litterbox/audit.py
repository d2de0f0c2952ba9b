"""The audit log of one box: one JSON line per request and decision, written before the answer is sent.

Append-only, 0600, rotated by size. It records what was asked and decided, never a secret.
"""

import errno
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted  # a whole encoder takes longer than all the rest
from typing import Final, Self

from litterbox import files, paths
from litterbox.errors import LitterboxError

ROTATE_AT: Final = 10 * 1024 * 1024  # bytes: about 30,000 requests
MAX_SIZE: Final = 2 * ROTATE_AT  # bytes that a file may have which cannot be rotated; then requests are refused
KEPT: Final = 3  # rotated files: audit-NAME.jsonl.1 is the newest
_MAX_TEXT_LENGTH: Final = 1000  # characters of one value; what the box sends may be 256 KiB long


class AuditError(LitterboxError):
    """The line cannot be written, so the request it tells of must be refused."""


class AuditLog:
    """An open audit log; a context manager that closes it. One writer per box: the daemon."""

    def __init__(self, box: str, *, path: str | None = None, now: Callable[[], datetime] | None = None) -> None:
        """Open the log of `box`, at `path` or where paths.py says. Raises AuditError and BadBoxName."""
        self._quoted_box = _quoted(box)
        self._path = paths.audit_log(box) if path is None else path
        self._now = _utc_now if now is None else now
        self._descriptor = -1
        self._opened = (0, 0)
        files.private_folder(os.path.dirname(self._path))
        try:
            self._open()
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; every line is already written. Safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def record(self, *, what: str, detail: Mapping[str, str | int], decision: str, by: str) -> None:
        """Append one line: `what` was asked, with `detail`; `decision`, taken by `by`.

        When this returns, the kernel has the whole line. Raises AuditError when it does not; then no part of
        the line is left in the file.
        """
        words = ",".join([f"{_quoted(name)}:{_value(value)}" for name, value in detail.items()])
        line = (
            f'{{"time":"{_in_utc(self._now())}","box":{self._quoted_box},"what":{_quoted(what)},"detail":{{{words}}},'
            f'"decision":{_quoted(decision)},"by":{_quoted(by)}}}\n'
        )
        try:
            self._append(line.encode("ascii"))
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def _append(self, line: bytes) -> None:
        size = self._current_size()
        if size and size + len(line) > ROTATE_AT:
            try:
                self._rotate()
                size = 0
            except OSError:
                if size + len(line) > MAX_SIZE:
                    raise
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":  # the last writer was killed, or the power failed
            line = b"\n" + line
        if os.write(self._descriptor, line) != len(line):  # the disk is full
            os.ftruncate(self._descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _current_size(self) -> int:
        """The size of the file at the path, which is opened anew where somebody moved or removed ours."""
        for _ in range(2):
            try:
                there = os.lstat(self._path)
            except FileNotFoundError:
                pass
            else:
                if (there.st_dev, there.st_ino) == self._opened:
                    return there.st_size
            self._open()  # a line in the old one would be a line nobody finds
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, files.PRIVATE_FILE)
        self.close()
        self._descriptor = descriptor
        opened = os.fstat(descriptor)
        self._opened = opened.st_dev, opened.st_ino

    def _rotate(self) -> None:
        """Move each file to the next number, up to the first that is free; the oldest goes only where none is.

        So one that fails half-way, as often as it may, loses no file: the next finds a number free.
        """
        names = [self._path, *(f"{self._path}.{number}" for number in range(1, KEPT + 1))]
        last = next((place for place, name in enumerate(names) if not os.path.lexists(name)), KEPT)
        for place in range(last, 0, -1):
            os.replace(names[place - 1], names[place])
        self._open()


def _value(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    if len(value) > _MAX_TEXT_LENGTH:
        value = f"{value[: _MAX_TEXT_LENGTH // 2]}[…]{value[-_MAX_TEXT_LENGTH // 2 :]}"
    return _quoted(value)


def _in_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _unwritable(path: str, error: OSError) -> AuditError:
    return AuditError(
        f"The audit log {path} cannot be written: {error.strerror}.",
        "Requests of the box are refused until it can be.",
    )
