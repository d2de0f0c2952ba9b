"""Signals to host-exec in its first moments, when it does not carry streams yet: none of them is lost.

Each moment from the start on is tried. Where the command had not begun, the signal ended host-exec alone; where it had,
it has ended by that signal, and not by the one with which the host ends what nobody waits for any more.
"""

import fcntl
import json
import os
import signal
import struct
import subprocess
import termios
import time
from contextlib import contextmanager

import pytest
from support.processes import eventually, state, with_words

from litterbox import paths

LONG_ENOUGH = 60.0  # seconds
COMMAND = ("/bin/sleep", "1000")


def moments(step, *, until=12):
    """Seconds after the start of host-exec, each later than the one before, until so many commands have begun."""
    moment = 0.0
    while len(audit("approved")) < until:
        yield moment
        moment += step
        assert moment < LONG_ENOUGH, "no command begins"


def audit(decision):
    """What the audit log tells of the requests that were decided so, or have ended."""
    if not os.path.exists(paths.audit_log("work")):
        return []
    with open(paths.audit_log("work")) as file:
        lines = [json.loads(line) for line in file]
    return [line["detail"] for line in lines if line["decision"] == decision]


def ends():
    """How the commands ended that have begun: exit statuses, or "cut off"."""
    eventually(lambda: len(audit("ended")) == len(audit("approved")))
    return {detail["status"] for detail in audit("ended")}


@contextmanager
def started(host, *words, **options):
    """A host-exec that does not outlive a test that fails, in a process group that the kernel lets be stopped."""
    with host.start(*words, process_group=0, **options) as caller:
        try:
            yield caller
        finally:
            caller.kill()


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1"])
def test_a_signal_ends_the_command_by_itself(host, name):
    number = signal.Signals[f"SIG{name}"]
    for moment in moments(0.005, until=20):
        with started(host, "sleep", "1000") as caller:
            time.sleep(moment)
            caller.send_signal(number)
            assert caller.wait(LONG_ENOUGH) != 0
    assert ends() == {128 + number}


def test_a_signal_as_soon_as_the_command_runs_ends_it_by_itself(host):
    for _ in range(10):
        with started(host, "sleep", "1000") as caller:
            eventually(lambda: with_words(*COMMAND))
            caller.send_signal(signal.SIGHUP)
            assert caller.wait(LONG_ENOUGH) in (-signal.SIGHUP, 128 + signal.SIGHUP)
    assert ends() == {128 + signal.SIGHUP}


def test_a_signal_that_is_ignored_stays_so(host):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with started(host, "sh", "-c", "echo up; read line; exit 3", stdin=subprocess.PIPE, preexec_fn=ignore) as caller:
        caller.send_signal(signal.SIGHUP)
        assert caller.stdout.readline() == b"up\n"
        caller.stdin.write(b"go on\n")
        caller.stdin.close()
        assert caller.wait(LONG_ENOUGH) == 3


def test_stopping_and_going_on(host):
    for moment in moments(0.02):
        with started(host, "sleep", "1000") as caller:
            time.sleep(moment)
            caller.send_signal(signal.SIGTSTP)
            eventually(lambda pid=caller.pid: state(pid) == "T")
            eventually(lambda: {state(pid) for pid in with_words(*COMMAND)} <= {"T"})
            caller.send_signal(signal.SIGCONT)
            eventually(lambda: {state(pid) for pid in with_words(*COMMAND)} == {"S"})
            caller.send_signal(signal.SIGTERM)
            assert caller.wait(LONG_ENOUGH) == 128 + signal.SIGTERM
    assert ends() == {128 + signal.SIGTERM}


@pytest.fixture
def on_a_terminal(host):
    """A function that starts a host command on a terminal of its own; returns our side of it, and the caller."""
    opened = []

    def start(*words):
        ours, theirs = os.openpty()
        opened.append(ours)
        set_size(ours, 24)
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
        caller = host.start(*words, **streams, start_new_session=True, preexec_fn=own_terminal)
        os.close(theirs)
        return ours, caller

    yield start
    for descriptor in opened:
        with open(os.devnull) as null:  # some are closed already, and their numbers may be others'
            os.dup2(null.fileno(), descriptor)
        os.close(descriptor)


def own_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def set_size(terminal, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, 80, 0, 0))


def hang_up(terminal):
    with open(os.devnull) as null:
        os.dup2(null.fileno(), terminal)


@pytest.mark.parametrize("words", [("sleep", "1000"), ("yes",)])
def test_a_terminal_that_is_closed_hangs_up_the_command(on_a_terminal, words):
    for moment in moments(0.005):
        ours, caller = on_a_terminal(*words)
        time.sleep(moment)
        hang_up(ours)
        caller.wait(LONG_ENOUGH)
    assert ends() == {128 + signal.SIGHUP}


@pytest.mark.parametrize(("key", "number"), [(b"\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT)])
def test_a_key_that_interrupts_ends_the_command(on_a_terminal, key, number):
    for moment in moments(0.01):
        ours, caller = on_a_terminal("sleep", "1000")
        time.sleep(moment)
        os.write(ours, key)
        assert caller.wait(LONG_ENOUGH) != 0
    assert ends() == {128 + number}


def test_a_new_size_reaches_the_command(on_a_terminal):
    for moment in moments(0.02):
        ours, caller = on_a_terminal("sh", "-c", "until stty size | grep -q '^43 '; do sleep 0.05; done")
        time.sleep(moment)
        set_size(ours, 43)
        assert caller.wait(LONG_ENOUGH) == 0
