"""The question for a password, at a real terminal, under a shell with job control."""

import sys
import termios

import pexpect
import pytest

ASK = (
    "from litterbox.keys import password; "
    "print('got', password.existing(password.STORE, lambda given: given))"
)  # fmt: skip
PROMPT = "Key store password: "


@pytest.fixture
def shell(tmp_path):
    """An interactive shell, with the question as the command `ask.py`."""
    script = tmp_path / "ask.py"
    script.write_text(f"#!{sys.executable}\n{ASK}\n")
    script.chmod(0o700)
    child = pexpect.spawn("bash", ["--norc", "--noediting", "-i"], encoding="utf-8", timeout=30)
    child.sendline(f"PS1='ready> '; PATH=$PATH:{tmp_path}; echo set''up")
    child.expect("setup\r\n")
    child.expect("ready> ")
    yield child
    child.close(force=True)


def echoes(shell) -> bool:
    return bool(termios.tcgetattr(shell.child_fd)[3] & termios.ECHO)


def test_the_answer_is_read_without_echo(shell) -> None:
    shell.sendline("ask.py")
    shell.expect(PROMPT)
    shell.waitnoecho()
    shell.sendline("correct horse")

    shell.expect("got b'correct horse'")
    assert "correct" not in shell.before
    shell.expect("ready> ")
    assert echoes(shell)


def test_ctrl_z_gives_the_echo_back_and_fg_takes_it_again(shell) -> None:
    shell.sendline("ask.py")
    shell.expect(PROMPT)
    shell.waitnoecho()
    shell.send("half\x1a")
    shell.expect("Stopped")
    shell.expect("ready> ")
    assert echoes(shell)

    shell.sendline("fg")
    shell.expect(PROMPT)
    assert shell.waitnoecho(timeout=30)
    shell.sendline("correct horse")

    shell.expect("got b'correct horse'")
    assert "correct" not in shell.before


def test_a_stop_that_cannot_be_caught_is_survived(shell) -> None:
    shell.sendline("ask.py")
    shell.expect(PROMPT)
    shell.waitnoecho()
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.sendline("kill -STOP %1; kill -CONT %1; fg")
    shell.expect(PROMPT)
    assert shell.waitnoecho(timeout=30)
    shell.sendline("correct horse")

    shell.expect("got b'correct horse'")
    assert "correct" not in shell.before


def test_ctrl_c_gives_the_echo_back(shell) -> None:
    shell.sendline("ask.py")
    shell.expect(PROMPT)
    shell.waitnoecho()
    shell.send("\x03")
    shell.expect("KeyboardInterrupt")
    shell.expect("ready> ")

    assert echoes(shell)
