"""Lines that a box could repeat without end: a log keeps the first of them, and how many more there were.

Otherwise a box that is refused a thousand times a second pushes every other line out of the daemon's log.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import attrs

INTERVAL: Final = 60.0  # seconds
MAX_REPEATS: Final = 5  # lines of one kind in an interval
_MAX_KINDS: Final = 1000  # there are fewer places in the code that log; what is beyond counts as one kind
_MAX_EXAMPLE: Final = 100  # characters

_OTHERS: Final = ("litterbox", logging.WARNING, "")


@attrs.define
class _Kind:
    """What one place in the code has logged: since when, how many lines, and how the first of them begins."""

    since: float
    example: str
    count: int = 0


class RepeatsHandler(logging.Handler):
    """Hands records on to `handlers`, and of each kind at most MAX_REPEATS in INTERVAL.

    A kind is a place in the code: its logger, its level and its words without what was put into them, which is the
    box's. A line says later how many more there were: before the next record of any kind after the interval, or at the
    end.
    """

    def __init__(self, handlers: Sequence[logging.Handler], *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._handlers = handlers
        self._now = now
        self._kinds: dict[tuple[str, int, str], _Kind] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = self._now()
        self._tell_repeats(now - INTERVAL)
        name = (record.name, record.levelno, str(record.msg))
        if name not in self._kinds and len(self._kinds) >= _MAX_KINDS:
            name = _OTHERS
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = _Kind(now, record.getMessage()[:_MAX_EXAMPLE])
        kind.count += 1
        if kind.count <= MAX_REPEATS:
            self._pass_on(record)

    def close(self) -> None:
        """Tell of what was kept back, and close the handlers. A second call does nothing more."""
        self.acquire()
        try:
            self._tell_repeats(float("inf"))
            for handler in self._handlers:
                handler.close()
        finally:
            self.release()
        super().close()

    def _tell_repeats(self, until: float) -> None:
        """Forget the kinds that began no later than `until`, and say of which there was more."""
        over = [name for name, kind in self._kinds.items() if kind.since <= until]
        for name in over:
            kind = self._kinds.pop(name)
            if kind.count > MAX_REPEATS:
                self._pass_on(_summary(name, kind))

    def _pass_on(self, record: logging.LogRecord) -> None:
        for handler in self._handlers:
            handler.handle(record)


def _summary(name: tuple[str, int, str], kind: _Kind) -> logging.LogRecord:
    logger, level, _words = name
    words = ("%d more lines like this within %.0f s: %s…", (kind.count - MAX_REPEATS, INTERVAL, kind.example))
    return logging.LogRecord(logger, level, __file__, 0, *words, exc_info=None)
