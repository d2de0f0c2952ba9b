"""What a program says it is, asked of real processes, some of which lie."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from litterbox.agent.peer_command import command_line

Start = Callable[..., int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python on a script that says "ready" when it is; return its PID. It ends with the test."""
    processes = []

    def start(script: str, *arguments: str | bytes) -> int:
        command = [sys.executable, "-c", f"{script}\nprint('ready', flush=True)\ninput()", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process.pid

    yield start
    for process in processes:
        with process:
            process.kill()


def said_by(pid: int) -> str:
    said = command_line(pid)
    assert said is not None
    return said


def test_a_program_is_what_its_arguments_say(start):
    pid = start("pass", "git@github.com", "two words", "", "last")
    assert said_by(pid).startswith(f"{sys.executable} -c pass\n")
    assert said_by(pid).endswith(" git@github.com two words  last")


def test_arguments_that_are_not_utf8_are_still_shown(start):
    assert said_by(start("pass", b"caf\xe9", "café")).endswith(" caf\N{REPLACEMENT CHARACTER} café")


def test_no_more_than_four_kib_are_read(start):
    assert len(said_by(start("pass", "x" * 100_000))) == 4096


def test_a_program_with_a_changed_title_is_taken_at_its_word(start):
    overwrite = """
import ctypes
size = len(open("/proc/self/cmdline", "rb").read())
start = int(open("/proc/self/stat").read().rpartition(")")[2].split()[45])
ctypes.memmove(start, b"ssh git@github.com".ljust(size, b"\\0"), size)
"""
    assert said_by(start(overwrite)) == "ssh git@github.com"


def test_a_program_without_arguments_is_what_its_name_says(start):
    wipe = """
import ctypes
size = len(open("/proc/self/cmdline", "rb").read())
start = int(open("/proc/self/stat").read().rpartition(")")[2].split()[45])
ctypes.memset(start, 0, size)
open("/proc/self/comm", "w").write("a (b)\\nc")
"""
    assert command_line(start(wipe)) == "a (b)\nc"


def test_a_process_that_is_gone_says_nothing():
    with subprocess.Popen(["true"]) as process:
        pass
    assert command_line(process.pid) is None


def test_a_process_that_ended_unreaped_still_has_its_name():
    pid = os.posix_spawnp("true", ["true", "secret"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert command_line(pid) == "true"
    finally:
        os.waitpid(pid, 0)


@pytest.mark.parametrize("pid", [0, -1, 2**40])
def test_what_is_no_process_says_nothing(pid):
    assert command_line(pid) is None
