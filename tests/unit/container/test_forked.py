"""A function in a process of its own: its end is certain, and its error is the caller's."""

import os
import signal

import pytest

from litterbox.container import forked
from litterbox.errors import HostError


def refuse():
    raise PermissionError(1, "Operation not permitted")


def fail():
    raise ValueError


@pytest.fixture(autouse=True)
def no_child_is_left():
    before = children()
    yield
    assert children() == before


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()


def test_what_it_does_there_is_done_when_run_returns(tmp_path):
    forked.run((tmp_path / "done").touch, failure="It could not be done")
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (refuse, "Operation not permitted"),
        (fail, "Input/output error"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal 9"),
    ],
)
def test_why_it_failed_is_said(function, reason):
    with pytest.raises(HostError) as error:
        forked.run(function, failure="It could not be done", hint="Try again.")
    assert (error.value.sentence, error.value.hint) == (f"It could not be done: {reason}.", "Try again.")


def test_one_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr(forked, "TIMEOUT", 0.1)
    with pytest.raises(HostError, match="within 0 s"):
        forked.run(signal.pause, failure="It could not be done")
