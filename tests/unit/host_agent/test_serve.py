"""What `litterbox agent` decides by itself: which signals are its own, who may connect, what its user is told."""

import logging
import os
import signal
import subprocess
import sys

import pytest

from litterbox.errors import DaemonError, HostError
from litterbox.host_agent import serve
from litterbox.peers import Peer


@pytest.fixture
def ignoring():
    """Ignore signals, as nohup and a shell's `&` do, until the end of the test."""
    before = {}

    def ignore(*numbers):
        for number in numbers:
            before[number] = signal.signal(number, signal.SIG_IGN)

    yield ignore
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_that_is_ignored_stays_ignored(ignoring):
    assert signal.SIGHUP in serve._to_receive(["true"])
    ignoring(signal.SIGHUP, signal.SIGINT)
    assert serve._to_receive(["true"]) == [signal.SIGTERM, signal.SIGQUIT]
    assert serve._to_receive([]) == [signal.SIGTERM]


def test_only_the_users_own_processes_may_connect():
    assert serve._is_own(Peer(1, os.getuid()))
    assert not serve._is_own(Peer(1, os.getuid() + 1))


def test_the_error_with_a_sentence_is_the_one_that_is_told():
    error = HostError("There is no room.")
    group = ExceptionGroup("", [ValueError(), ExceptionGroup("", [error])])
    assert serve._reason(group) is error
    assert serve._reason(error) is error


def test_a_reader_that_has_gone_is_told_as_such():
    error = BrokenPipeError()
    assert serve._reason(ExceptionGroup("", [error])) is error


def test_a_fault_of_ours_is_a_sentence_and_its_details_go_to_the_log(caplog):
    with caplog.at_level(logging.ERROR):
        told = serve._reason(ExceptionGroup("", [ZeroDivisionError("the details")]))
    assert isinstance(told, DaemonError)
    assert "the details" in caplog.text


def test_the_vault_key_is_not_in_its_representation():
    agent = serve.HostAgent(path="/tmp/s", approve="ask", keys=("k",), vault_key=b"0123456789", timeout=60)
    assert "0123456789" not in repr(agent)


def test_an_unknown_key_is_an_error_before_a_password_is_asked_for(tmp_path):
    asked, path = tmp_path / "asked", tmp_path / "agent.sock"
    done = subprocess.run(
        [sys.executable, "-m", "litterbox", "agent", "--socket", path, "--key", "nobody", "--", "true"],
        env=os.environ | {"LITTERBOX_PASSWORD_COMMAND": f"touch {asked}; echo password"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no key called 'nobody'" in done.stderr
    assert not asked.exists()
    assert not path.exists()
