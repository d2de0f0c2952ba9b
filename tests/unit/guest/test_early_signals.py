"""Signals that come before host-exec carries streams: told to the host, or acted upon, and never lost."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from litterbox_guest import wire

LONG_ENOUGH = 20  # seconds
HOST_EXEC = "import sys; from litterbox_guest.main import main; sys.exit(main(['host-exec', 'tool']))"


class Host:
    """The host's end of the one connection, which says what a test has it say."""

    def __init__(self, listener):
        self.connection, _ = listener.accept()
        self.connection.settimeout(LONG_ENOUGH)
        self.frames = wire.FrameReader()

    def receive(self):
        while (frame := self.frames.next_frame()) is None:
            data = self.connection.recv(65536)
            if not data:
                return None
            self.frames.receive_data(data)
        return frame

    def send(self, message):
        self.connection.sendall(wire.encode(message))


@pytest.fixture
def asked(tmp_path):
    """A host-exec whose request the host has, and has not answered."""
    (tmp_path / "litterbox").mkdir()
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "LITTERBOX_NAME": "work"}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "litterbox" / "work.sock"))
        listener.listen()
        with subprocess.Popen(
            [sys.executable, "-c", HOST_EXEC], env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as caller:
            host = Host(listener)
            assert host.receive()["type"] == "hello"
            host.send({"type": "hello_ack", "accepted": ["host_exec"], "rejected": [], "features": ["streams"]})
            assert host.receive()["type"] == "host_exec"
            with host.connection:
                yield host, caller
            caller.kill()


@pytest.mark.parametrize("name", ["INT", "HUP", "QUIT", "TERM"])
def test_a_signal_at_the_question_is_told_and_ends_it_when_the_host_has_withdrawn_the_question(asked, name):
    host, caller = asked
    number = signal.Signals[f"SIG{name}"]
    caller.send_signal(number)
    assert host.receive() == {"type": "host_exec_signal", "signal": name}
    host.send({"type": "error", "reason": "withdrawn", "status": 128 + number})
    assert caller.wait(LONG_ENOUGH) == -number
    assert caller.stderr.read() == b""


def test_a_signal_at_the_question_ends_it_where_the_host_does_not_answer(asked):
    host, caller = asked
    caller.send_signal(signal.SIGINT)
    assert host.receive() == {"type": "host_exec_signal", "signal": "INT"}
    assert caller.wait(LONG_ENOUGH) == -signal.SIGINT


def test_a_command_that_had_just_begun_has_the_signal(asked):
    host, caller = asked
    caller.send_signal(signal.SIGINT)
    host.send({"type": "ack"})
    told = []
    while {"type": "host_exec_signal", "signal": "INT"} not in told:
        told.append(host.receive())
    host.send({"type": "host_exec_done", "exit_code": 3})
    assert caller.wait(LONG_ENOUGH) == 3
    assert told.count({"type": "host_exec_signal", "signal": "INT"}) == 1


def test_one_that_is_stopped_at_the_question_tells_that_too(asked):
    host, caller = asked
    caller.send_signal(signal.SIGTSTP)
    assert host.receive() == {"type": "host_exec_signal", "signal": "TSTP"}
    _, status = os.waitpid(caller.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    caller.send_signal(signal.SIGCONT)
    assert host.receive() == {"type": "host_exec_signal", "signal": "CONT"}
    host.send({"type": "error", "reason": "no"})
    assert caller.wait(LONG_ENOUGH) == 126


def test_a_refusal_is_said_as_it_is(asked):
    host, caller = asked
    host.send({"type": "error", "reason": "no"})
    assert caller.wait(LONG_ENOUGH) == 126
    assert caller.stderr.read() == b"litterbox: no\n"


def test_a_signal_that_came_too_late_for_the_command_ends_host_exec():
    """So that Ctrl-C ends the script that calls it, too."""
    code = """
import os, signal
from litterbox_guest.interceptors import short_command, early_signals
signal.signal(signal.SIGINT, signal.SIG_DFL)
early_signals.hold()
os.kill(os.getpid(), signal.SIGINT)
os._exit(short_command.finish([{"type": "host_exec_done", "exit_code": 0}]))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGINT
