"""A client of a daemon never waits without an end, and tells a daemon that hangs from one that has gone."""

import os
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from litterbox import paths
from litterbox.control import client
from litterbox.daemon import start
from litterbox.errors import DaemonError, DaemonGone, DaemonTimeout


@pytest.fixture
def listening():
    """A socket where the daemon's would be; nobody accepts."""
    os.makedirs(os.path.dirname(paths.control_socket("work")))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(paths.control_socket("work"))
        listener.listen(1)
        yield listener


def test_a_daemon_that_does_not_answer_is_waited_for_so_long(listening):
    with pytest.raises(DaemonTimeout, match="did not answer within 0 s: it hangs, or somebody stopped it"):
        client.ask("work", {"request": "status"}, within=0.1)


def test_a_daemon_whose_queue_is_full_does_not_answer_either(listening):
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for connection in waiting:
        connection.connect(paths.control_socket("work"))
    with pytest.raises(DaemonTimeout):
        client.ask("work", {"request": "status"}, within=0.1)
    for connection in waiting:
        connection.close()


@contextmanager
def daemon(listening, answer):
    """Someone who accepts one connection, in the place of a daemon."""

    def serve():
        connection, _ = listening.accept()
        with connection, suppress(BrokenPipeError, ConnectionResetError):
            answer(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join(10)
    assert not thread.is_alive()


def test_a_daemon_that_answers_by_drops_has_no_more_time_for_it(listening):
    def drip(connection):
        while True:
            connection.send(b"x")
            time.sleep(0.01)

    with daemon(listening, drip), pytest.raises(DaemonTimeout):
        client.ask("work", {"request": "status"}, within=0.2)


def test_a_daemon_that_ends_is_gone(listening):
    with daemon(listening, lambda _connection: None), pytest.raises(DaemonGone, match="ended without an answer"):
        client.ask("work", {"request": "status"}, within=10)


forks = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork:DeprecationWarning")


@forks
def test_a_daemon_that_cannot_be_executed_is_told_with_the_reason(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    before = len(os.listdir("/proc/self/fd"))
    for vault_key in (None, bytes(32)) * 10:
        with pytest.raises(DaemonError, match="cannot be started: No such file or directory"):
            start.spawn("work", vault_key, for_session=True)
    assert len(os.listdir("/proc/self/fd")) == before


@forks
def test_a_daemon_that_never_gets_ready_is_waited_for_so_long(monkeypatch, tmp_path):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(start, "READY_TIMEOUT", 0.1)
    with pytest.raises(DaemonError, match="was not ready within 0 s") as error:
        start.spawn("work", None, for_session=True)
    assert error.value.hint == "End it: litterbox stop work"
