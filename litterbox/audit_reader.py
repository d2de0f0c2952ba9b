"""Reading an audit log back: its lines in order of time, rotated files included, also while more are written."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from typing import BinaryIO, Final

import attrs

from litterbox.audit import KEPT

_LOOK_AGAIN: Final = 0.25  # seconds
_MAX_LINE_LENGTH: Final = 64 * 1024  # bytes; the writer's are a few kilobytes at most


@attrs.frozen
class Record:
    """One request and what was decided; `detail` as audit.AuditLog.record has it, `line` as it stands in the file."""

    line: bytes
    time: datetime
    what: str
    detail: dict[str, str | int]
    decision: str
    by: str


def lines(path: str, *, follow: bool) -> Iterator[bytes]:
    """The whole lines of the log at `path`, oldest first; with `follow`, those that come later too, without end.

    Raises FileNotFoundError where there is no log at all, and other OSErrors.
    """
    with ExitStack() as stack:
        files: list[BinaryIO] = []
        # The newest first: a file that is rotated away meanwhile is then found again, and not missed.
        for name in (path, *(f"{path}.{number}" for number in range(1, KEPT + 1))):
            with suppress(FileNotFoundError):
                file: BinaryIO = stack.enter_context(open(name, "rb"))
                if not any(os.path.sameopenfile(file.fileno(), known.fileno()) for known in files):
                    files.append(file)
        if not files:
            raise FileNotFoundError(path)
        for file in reversed(files[1:]):
            yield from _whole_lines(file)
        live = files[0]
        while True:
            yield from _whole_lines(live)
            if not follow:
                return
            time.sleep(_LOOK_AGAIN)
            newer = _newer(path, live)
            if newer is not None:
                stack.enter_context(newer)
                yield from _whole_lines(live)  # what was written before the file was moved
                live.close()
                live = newer


def parse(line: bytes) -> Record | None:
    """The record that a line is, None where it is none."""
    try:
        content = json.loads(line)
        moment = datetime.fromisoformat(content["time"])
        words = [content["what"], content["decision"], content["by"]]
        detail = content["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not all(isinstance(word, str) for word in words) or not isinstance(detail, dict) or moment.tzinfo is None:
        return None
    return Record(line, moment, words[0], detail, words[1], words[2])


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    while True:
        at = file.tell()
        line = file.readline(_MAX_LINE_LENGTH)
        if not line:
            return
        if not line.endswith(b"\n") and len(line) < _MAX_LINE_LENGTH:
            file.seek(at)  # the writer is in the middle of it
            return
        yield line


def _newer(path: str, file: BinaryIO) -> BinaryIO | None:
    """The file that stands at `path` now, where it is another one."""
    with ExitStack() as stack:
        try:
            newer: BinaryIO = stack.enter_context(open(path, "rb"))
        except FileNotFoundError:
            return None
        if os.path.sameopenfile(newer.fileno(), file.fileno()):
            return None
        stack.pop_all()
        return newer
