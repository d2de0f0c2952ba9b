"""`stop` ends a daemon that hangs, and no other process. The box itself is stopped in the end-to-end tests."""

import os
import socket
import subprocess
import sys

import pytest

from litterbox import paths, sessions
from litterbox.container import create, state
from litterbox.daemon import stopping
from litterbox.errors import DaemonError

DAEMON = """
import os, signal, socket, sys
from litterbox import locks
lock = locks.acquire(sys.argv[1], within=0)
os.write(lock, sys.argv[3].replace("PID", str(os.getpid())).encode())
listener = socket.socket(socket.AF_UNIX)
if sys.argv[2]:
    listener.bind(sys.argv[2])
    listener.listen()
if sys.argv[4] == "ignores":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("serves", flush=True)
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def stopped_box(monkeypatch):
    """There is no container to be stopped; the waits are short."""
    create.prepare_host_side("work")
    monkeypatch.setattr(state, "is_running", lambda _name: False)
    for wait in ("ANSWER_TIMEOUT", "END_TIMEOUT"):
        monkeypatch.setattr(stopping, wait, 0.2)


@pytest.fixture
def daemon():
    """Starts what holds the daemon lock: it listens or not, names itself or another in the lock, heeds TERM or not."""
    started = []

    def start(*, listens=True, names="PID\n", term="heeds"):
        address = paths.control_socket("work") if listens else ""
        words = [sys.executable, "-c", DAEMON, paths.daemon_lock("work"), address, names, term]
        process = subprocess.Popen(words, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"serves\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_daemon_that_never_answers_is_killed_and_it_is_said(daemon, capsys):
    process = daemon(term="ignores")
    assert stopping.stop("work")
    assert process.wait(10) == -9
    assert capsys.readouterr().err == "litterbox: the daemon of work does not end: killing it\n"


def test_a_daemon_whose_socket_is_gone_is_asked_to_end_by_a_signal(daemon):
    process = daemon(listens=False)
    assert stopping.stop("work")
    assert process.wait(10) == -15


def test_a_daemon_whose_socket_is_gone_and_that_does_not_end_is_killed(daemon):
    process = daemon(listens=False, term="ignores")
    assert stopping.stop("work")
    assert process.wait(10) == -9


def test_a_daemon_that_hears_and_does_not_end_is_killed(daemon, monkeypatch):
    process = daemon()
    monkeypatch.setattr(stopping.client, "ask", lambda *_words, **_options: {"done": "stop"})
    assert stopping.stop("work")
    assert process.wait(10) == -9


def test_a_process_that_is_not_the_daemon_is_not_ended(daemon):
    process = daemon(names="1\n")
    with pytest.raises(DaemonError, match=f"is held by process {process.pid}"):
        stopping.stop("work")
    assert process.poll() is None


def test_no_daemon_is_nothing_to_stop():
    assert not stopping.stop("work")


def test_a_box_without_a_daemon_is_stopped_by_hand_whatever_podman_says(monkeypatch, tmp_path):
    """Podman fails, but its records say afterwards that the box has ended, as where conmon is missing."""
    (tmp_path / "podman").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/called\nexit 125\n')
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ended = state.Seen(called_running=False, started=False, main=None, conmon=None)
    monkeypatch.setattr(state, "is_running", lambda _name: True)
    monkeypatch.setattr(state, "look", lambda _name: ended)
    with sessions.SessionLock(paths.session_lock("work")) as lock:
        lock.add(sessions.own())
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(paths.agent_socket("work"))
    assert stopping.stop("work")
    assert (tmp_path / "called").read_text() == "stop --time=3 lbx-work\n"
    assert sessions.read(paths.session_lock("work")) == []
    assert not os.path.exists(paths.agent_socket("work"))
