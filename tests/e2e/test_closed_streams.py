"""Entering a box, and looking at it, from a caller that has closed its standard streams, or whose disk is full."""

import subprocess

import pytest
from support.user import LONG_ENOUGH

CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"]


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


def run(user, command, redirection):
    return subprocess.run(
        ["/bin/sh", "-c", f"exec litterbox {command} {redirection}"],
        env=user.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG_ENOUGH * 2,
        check=False,
    )


@pytest.mark.parametrize("closed", CLOSED)
def test_a_box_is_entered_cold_and_warm(user, box, closed):
    """Cold: its daemon and the container start without the standard streams too, and hold none of their numbers."""
    assert run(user, "enter work -- sh -c 'exit 7'", closed).returncode == 7
    with user.session(box):
        assert run(user, "enter work -- sh -c 'exit 7'", closed).returncode == 7
        daemon = user.daemon(box)
        links = [f"/proc/{daemon}/fd/{number}" for number in range(3)]
        found = subprocess.run(["sudo", "readlink", *links], capture_output=True, text=True, check=True)
        targets = found.stdout.splitlines()  # only root may see them: the daemon is not dumpable
        assert len(targets) == 3
        assert not [target for target in targets if "socket" in target or target.endswith(".lock")]


def test_a_command_whose_input_is_closed_reads_nothing(user, box):
    done = run(user, "enter work -- cat", "<&-")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
@pytest.mark.parametrize("command", ["list", "list --json", "status", "status --json", "logs work", "--version"])
def test_what_cannot_be_printed_is_an_error(user, box, command, redirection):
    with user.session(box):
        done = run(user, command, redirection)
    assert done.returncode == 1
    assert done.stderr.startswith("litterbox: Standard output cannot be written: ")
    assert len(done.stderr.splitlines()) == 1
