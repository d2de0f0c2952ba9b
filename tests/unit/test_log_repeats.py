"""A box that says the same again and again gets a few lines and a number; other lines stay."""

import logging

import pytest

from litterbox.log_repeats import INTERVAL, MAX_REPEATS, RepeatsHandler


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []
        self.closed = False

    def emit(self, record):
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")

    def close(self):
        self.closed = True
        super().close()


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def log(kept, clock):
    logger = logging.getLogger("agent")
    handler = RepeatsHandler([kept], now=clock)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger
    logger.removeHandler(handler)


def test_of_one_kind_a_few_lines_are_kept_and_then_how_many_more_there_were(log, kept, clock):
    for number in range(317):
        log.warning("work: %s refused: %s", "sign", number)
    assert len(kept.lines) == MAX_REPEATS
    clock.now += INTERVAL
    log.info("another")
    assert kept.lines[MAX_REPEATS:] == [
        f"WARNING agent: {317 - MAX_REPEATS} more lines like this within 60 s: work: sign refused: 0…",
        "INFO agent: another",
    ]


def test_what_a_box_puts_into_a_line_makes_no_other_kind_of_it(log, kept):
    for number in range(10_000):
        log.warning("refused: %s", f"{number}" * 100)
    assert len(kept.lines) == MAX_REPEATS


def test_others_are_logged_meanwhile(log, kept):
    for number in range(100):
        log.warning("refused: %s", number)
    log.warning("something else")
    log.error("refused: %s", "at another level")
    assert kept.lines[-2:] == ["WARNING agent: something else", "ERROR agent: refused: at another level"]


def test_after_the_interval_they_are_logged_again(log, kept, clock):
    for _ in range(3):
        for number in range(MAX_REPEATS + 1):
            log.warning("refused: %s", number)
        clock.now += INTERVAL
    assert len([line for line in kept.lines if "refused" in line and "more lines" not in line]) == 3 * MAX_REPEATS


def test_few_lines_get_no_number(log, kept, clock):
    log.warning("once")
    clock.now += INTERVAL
    log.warning("another")
    assert kept.lines == ["WARNING agent: once", "WARNING agent: another"]


def test_the_end_tells_what_was_kept_back_and_closes_the_log(log, kept):
    for number in range(MAX_REPEATS + 2):
        log.warning("refused: %s", number)
    log.handlers[0].close()
    assert kept.lines[-1] == "WARNING agent: 2 more lines like this within 60 s: refused: 0…"
    assert kept.closed
    log.handlers[0].close()


def test_very_many_kinds_take_a_bounded_memory(log, kept):
    for number in range(5000):
        log.warning(f"{number} refused")  # noqa: G004 - as a library might
    [handler] = log.handlers
    assert len(handler._kinds) <= 1001
    assert len(kept.lines) <= 1000 + MAX_REPEATS
