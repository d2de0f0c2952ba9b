"""Standard streams that are closed or full: a sentence, or silence where there is nobody to read it, and a status."""

import os
import subprocess
import sys

import pytest

from litterbox import paths

FULL = "Standard output cannot be written: No space left on device."
CLOSED = "Standard output cannot be written: Bad file descriptor."


@pytest.fixture(autouse=True)
def box():
    os.makedirs(paths.build_context("work"))
    with open(paths.dockerfile("work"), "w") as file:
        file.write("FROM scratch\n")


def run(words, redirections, **environment):
    """Run litterbox in a shell, which is what can close a standard stream."""
    script = f'"$@" {redirections}'
    return subprocess.run(
        ["/bin/sh", "-c", script, "sh", sys.executable, "-m", "litterbox", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


COMMANDS = [["--version"], ["--help"], ["settings", "work"], ["settings", "work", "--json"], ["keys", "list", "--json"]]


@pytest.mark.parametrize("words", COMMANDS)
@pytest.mark.parametrize(("redirection", "sentence"), [(">/dev/full", FULL), (">&-", CLOSED)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_an_error(words, redirection, sentence, unbuffered):
    done = run(words, redirection, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (1, f"litterbox: {sentence}\n")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&- 2>&-"])
def test_a_message_that_nobody_takes_is_lost_and_nothing_else(redirection):
    assert run(["settings", "work", "set", "notify", "false"], redirection).returncode == 0
    with open(paths.settings("work")) as file:
        assert "notify = false" in file.read()
    assert run(["nonsense"], redirection).returncode == 2
    assert run(["settings", "gone"], redirection).returncode == 1


@pytest.mark.parametrize("redirection", [">&- 2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"])
def test_where_nobody_hears_anything_there_is_the_status(redirection):
    done = run(["settings", "work"], redirection)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_closed_input_is_an_empty_one():
    done = run(["keys", "import", "mine", "-"], "<&-")
    assert done.returncode == 1
    assert done.stderr.startswith("litterbox: The file is not a private key.\n")
    assert run(["settings", "work", "--json"], "<&-").returncode == 0


def test_output_that_nobody_reads_any_more_is_no_message_and_the_usual_status():
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "litterbox", "--version"], stdout=output, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_no_file_gets_the_number_of_a_standard_stream(closed):
    code = "import os; from litterbox import standard; standard.occupy(); os._exit(os.open('/dev/null', os.O_RDONLY))"
    done = subprocess.run(["/bin/sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", code], check=False)
    assert done.returncode >= 3
