"""Host commands on a terminal: its size, its keys, its job control, and how it is left behind."""

import fcntl
import os
import signal
import subprocess
import termios
import time

import pexpect
import pytest
from support.host_socket import HOLDING_SIGINT
from support.processes import eventually, state, with_words

LONG_ENOUGH = 20  # seconds
MODE = r"([0-9a-f]+(:[0-9a-f]+){10,})"


@pytest.fixture
def shell(host, tmp_path):
    """A shell on a terminal of 30 rows and 100 columns, with host-exec on its PATH."""
    program = tmp_path / "bin" / "host-exec"
    program.parent.mkdir()
    python, _c, code, _called = host.command()[len(HOLDING_SIGINT) :]
    program.write_text(f"#!{python}\nimport sys\nsys.argv.insert(1, 'host-exec')\n{code}\n")
    program.chmod(0o755)
    environment = host.environment | {"TERM": "xterm", "PATH": f"{program.parent}:{os.environ['PATH']}", "PS1": "$ "}
    child = pexpect.spawn(
        "/bin/bash", ["--norc"], env=environment, encoding="utf-8", timeout=LONG_ENOUGH, dimensions=(30, 100)
    )
    yield child
    child.close(force=True)
    eventually(lambda: not with_words("sleep", "1000"))


def mode(shell):
    """How the shell's terminal is set, as stty -g has it."""
    shell.sendline("echo; stty -g")
    shell.expect(MODE)
    return shell.match[1]


def start(shell, command, says):
    """Run a host command in the shell until it says something, at the beginning of a line."""
    shell.sendline(f"host-exec {command}")
    shell.expect(rf"[\r\n]{says}")


def interrupt(shell):
    """Press Ctrl-C, and wait for the shell's prompt: what is typed before it is the command's."""
    shell.send("\x03")
    shell.expect_exact("\x1b[?2004h")


def ended(shell):
    """The exit status of the last command."""
    shell.sendline("echo status=$?.")
    shell.expect(r"status=(\d+)\.\s")
    return int(shell.match[1])


def test_it_has_a_terminal_of_that_size_and_type(shell):
    start(shell, "sh -c 'stty size; echo $TERM; test -t 0 -a -t 1 -a -t 2 && echo all three'", "30 100")
    shell.expect_exact("xterm")
    shell.expect_exact("all three")
    assert ended(shell) == 0


def test_a_new_size_is_passed_on(shell):
    start(shell, "sh -c 'trap \"stty size\" WINCH; echo ready; while :; do sleep 0.1; done'", "ready")
    shell.setwinsize(43, 121)
    shell.expect_exact("43 121")
    interrupt(shell)
    assert ended(shell) == 130


def test_ctrl_c_interrupts_it_and_the_terminal_is_as_before(shell):
    before = mode(shell)
    start(shell, "sh -c 'echo ready; exec sleep 1000'", "ready")
    interrupt(shell)
    assert ended(shell) == 130
    assert mode(shell) == before


def test_lines_are_edited_there_and_ctrl_d_ends_its_input(shell):
    start(shell, "sh -c 'echo ready; exec cat'", "ready")
    shell.send("helxx\x7f\x7flo\n")
    shell.expect_exact("\r\nhello\r\n")
    shell.send("\x04")
    assert ended(shell) == 0


def test_standard_error_that_goes_elsewhere_goes_there(shell, tmp_path):
    start(shell, f"sh -c 'echo out; echo err >&2; test -t 2 || echo none' 2>{tmp_path}/err", "out")
    shell.expect_exact("none")
    assert ended(shell) == 0
    assert (tmp_path / "err").read_text() == "err\n"


def test_without_a_terminal_for_output_there_is_none(shell):
    start(shell, "sh -c 'test -t 0 || echo none' | cat", "none\r\n")


def test_it_is_stopped_and_goes_on(shell):
    before = mode(shell)
    start(shell, "sh -c 'echo ready; exec sleep 1000'", "ready")
    [child] = with_words("sleep", "1000")
    os.kill(caller(shell), signal.SIGTSTP)
    shell.expect_exact("Stopped")
    eventually(lambda: state(child) == "T")
    assert mode(shell) == before
    shell.sendline("fg")
    eventually(lambda: state(child) == "S")
    interrupt(shell)
    assert ended(shell) == 130
    assert mode(shell) == before


def test_a_failure_leaves_the_terminal_as_it_was(shell, host):
    before = mode(shell)
    start(shell, "sh -c 'echo ready; exec sleep 1000'", "ready")
    host.process.kill()
    host.process.wait()
    shell.expect_exact("the host went away")
    assert ended(shell) == 125
    assert mode(shell) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_both_leaves_it_as_it_was(shell, number):
    before = mode(shell)
    start(shell, "sh -c 'echo ready; exec sleep 1000'", "ready")
    os.kill(caller(shell), number)
    assert ended(shell) == 128 + number
    assert mode(shell) == before


def caller(shell):
    """The PID of the host-exec that the shell waits for."""
    with open(f"/proc/{shell.pid}/task/{shell.pid}/children") as file:
        [pid] = map(int, file.read().split())
    return pid


def test_a_terminal_that_is_closed_hangs_up_the_command(host, tmp_path):
    script = f"trap 'echo hup >{tmp_path}/told; exit' HUP; echo ready; while :; do sleep 0.1; done"
    ours, theirs = os.openpty()
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with host.start("sh", "-c", script, **streams, start_new_session=True, preexec_fn=make_it_ours) as caller:
        os.close(theirs)
        assert os.read(ours, 100) == b"ready\r\n"
        os.close(ours)
        eventually((tmp_path / "told").exists)
        caller.wait(LONG_ENOUGH)


def make_it_ours():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_the_shell_itself_still_blocks(shell):
    """A terminal that host-exec left non-blocking would end an interactive cat at once."""
    start(shell, "sh -c 'echo ready'", "ready")
    shell.sendline("cat")
    time.sleep(0.5)
    shell.sendline("still here")
    shell.expect_exact("\r\nstill here\r\n")
    shell.send("\x04")
    assert ended(shell) == 0


def test_a_full_screen_program_works_in_tmux(host, shell, tmp_path):
    """Less as the host command, in a tmux: it paints, scrolls, is resized, and leaves the screen to the shell."""
    (tmp_path / "text").write_text("".join(f"line {number} of the text\n" for number in range(1, 201)))
    shell.close(force=True)
    socket = str(tmp_path / "tmux")

    def tmux(*words):
        command = ["tmux", "-f", "/dev/null", "-S", socket, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    environment = host.environment | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "PS1": "$ ", "LANG": "C.UTF-8"}
    tmux("new-session", "-d", "-x", "80", "-y", "24", "bash", "--norc")
    try:
        tmux("send-keys", f"host-exec less {tmp_path}/text", "Enter")
        eventually(lambda: "line 23 of the text" in tmux("capture-pane", "-p"))
        assert "line 24 of the text" not in tmux("capture-pane", "-p")
        tmux("send-keys", "G")
        eventually(lambda: "line 200 of the text" in tmux("capture-pane", "-p"))
        tmux("resize-window", "-x", "80", "-y", "40")
        # A key that less reads before it has seen the new size is answered with the old one.
        eventually(lambda: tmux("send-keys", "g") or "line 39 of the text" in tmux("capture-pane", "-p"))
        tmux("send-keys", "/line 77 ", "Enter")
        eventually(lambda: tmux("capture-pane", "-p").startswith("line 77 "))
        tmux("send-keys", "q")
        eventually(lambda: "line 77" not in tmux("capture-pane", "-p"))
        tmux("send-keys", "echo status=$?.", "Enter")
        eventually(lambda: "status=0." in tmux("capture-pane", "-p"))
    finally:
        tmux("kill-server")
