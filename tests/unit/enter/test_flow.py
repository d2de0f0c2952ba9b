"""Entering, up to where a box is needed."""

import os

import pytest

from litterbox import locks, paths
from litterbox.control import client
from litterbox.enter import flow
from litterbox.errors import DaemonError, DaemonGone, NoSuchBox


@pytest.fixture
def no_container(monkeypatch, tmp_path):
    (tmp_path / "podman").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    os.makedirs(paths.root())


def test_a_box_that_was_deleted_while_an_entry_waited_is_no_box_and_leaves_no_lock(no_container):
    with pytest.raises(NoSuchBox, match="There is no box work"):
        flow.register("work")
    assert not os.path.exists(paths.enter_lock("work"))


def test_a_daemon_that_dies_under_the_question_is_no_daemon(no_container, monkeypatch):
    """It held its lock a moment ago: it is asked again as long as it does."""
    held = locks.acquire(paths.daemon_lock("work"), within=0)
    asked = []

    def die(name):
        asked.append(name)
        if len(asked) == 3:
            os.close(held)
        raise DaemonGone("It ended.")

    monkeypatch.setattr(client, "announce_entry", die)
    assert flow._answer_of_daemon("work") is None
    assert len(asked) == 3


def test_a_daemon_whose_socket_is_gone_is_told_with_the_way_out(no_container, monkeypatch):
    monkeypatch.setattr(flow, "_DAEMON_START_TIMEOUT", 0.1)
    with locks.hold(paths.daemon_lock("work"), within=0), pytest.raises(DaemonError) as error:
        flow._answer_of_daemon("work")
    assert "XDG_RUNTIME_DIR" in error.value.sentence
    assert error.value.hint == "Stop the box and enter again: litterbox stop work"
