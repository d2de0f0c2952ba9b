"""`litterbox logs` shows a log of any version, and none of it reaches the terminal as an order."""

import os
import subprocess
import sys

import pytest

from litterbox import files, paths

OLD = (
    b"2026-01-01 INFO litterbox: served\n"
    b"x\x1b]0;PWNED\x07 \x9b2K \xc2\x9b2K\r forged \xff \xe2\x80\xae bidi \xed\xa0\x80\n"
    b"the end"
)


@pytest.fixture
def log():
    files.private_folder(paths.root())
    files.private_folder(paths.logs())
    with open(paths.daemon_log("work"), "wb") as file:
        file.write(OLD)


def lines_of(output: bytes) -> list[str]:
    return output.decode("utf-8").split("\n")


def check(lines: list[str]) -> None:
    assert lines[0] == "2026-01-01 INFO litterbox: served"
    assert lines[1] == r"x\x1b]0;PWNED\x07 \x9b2K \x9b2K\r forged \xff \u202e bidi \xed\xa0\x80"
    assert all(line.isprintable() for line in lines)


def test_a_log_is_escaped_when_it_is_shown(log):
    done = subprocess.run([sys.executable, "-m", "litterbox", "logs", "work"], capture_output=True, check=True)
    lines = lines_of(done.stdout)
    check(lines)
    assert lines[2] == "the end"


def test_a_log_is_escaped_when_it_is_followed(log):
    words = [sys.executable, "-m", "litterbox", "logs", "-f", "work"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as following:
        assert following.stdout is not None
        lines = [following.stdout.readline().decode().removesuffix("\n") for _ in range(2)]
        with open(paths.daemon_log("work"), "ab") as file:
            file.write(b"\nlater\x1b[2K\n")
        lines += [following.stdout.readline().decode().removesuffix("\n") for _ in range(2)]
        check(lines)
        assert lines[2:] == ["the end", r"later\x1b[2K"]
        following.send_signal(2)
        assert following.wait(20) == 130
    assert not os.path.exists(f"/proc/{following.pid}")
