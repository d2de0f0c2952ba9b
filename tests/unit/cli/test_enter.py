"""`enter` knows where its own options end and the command's begin."""

import pytest

import litterbox
from litterbox.cli.enter import separate_command
from litterbox.enter import flow


@pytest.mark.parametrize(
    ("words", "separated"),
    [
        ("work", "work"),
        ("work ls -l", "work -- ls -l"),
        ("work --root ls -l", "work --root -- ls -l"),
        ("--root work ls --root", "--root work -- ls --root"),
        ("work --workdir /tmp ls -l", "work --workdir /tmp -- ls -l"),
        ("work --workdir=/tmp ls", "work --workdir=/tmp -- ls"),
        ("-i -t work -- -x", "-i -t work -- -x"),
        ("work -- ls -- -l", "work -- ls -- -l"),
        ("work sh -c true -- x", "work -- sh -c true -- x"),
    ],
)
def test_the_command_starts_at_the_second_word(words, separated):
    assert separate_command(words.split()) == separated.split()


def arguments(**changes):
    chosen = {
        "session": (12, 34),
        "as_root": False,
        "workdir": None,
        "terminal": False,
        "command": (),
    }
    return flow.exec_arguments("work", **{**chosen, **changes})


def test_podman_is_told_the_session_and_no_detach_keys():
    assert arguments() == [
        "podman",
        "exec",
        "--detach-keys=",
        "--user=0:0",
        "--interactive",
        "--env=LITTERBOX_SESSION=12-34",
        f"--env=LITTERBOX_HOST_VERSION={litterbox.__version__}",
        "lbx-work",
        "/litterbox",
        "entrypoint",
        "--",
    ]


def test_the_command_is_behind_the_separator_whatever_it_looks_like():
    assert arguments(command=["--root", "-x"])[-3:] == ["--", "--root", "-x"]


def test_a_terminal_brings_its_type(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert {"--tty", "--env=TERM"} <= set(arguments(terminal=True))
    assert "--env=TERM" not in arguments()
