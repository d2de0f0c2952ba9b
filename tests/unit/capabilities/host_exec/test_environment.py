"""A host command has the host's environment, with a display, and no word of the box's but the name of its terminal."""

import pytest

from litterbox.capabilities.host_exec import environment


@pytest.fixture(autouse=True)
def host(monkeypatch):
    for name, value in {
        "FROM_THE_HOST": "yes",
        "PWD": "/somewhere",
        "OLDPWD": "/before",
        "TERM": "dumb",
        "LITTERBOX_PASSWORD_COMMAND": "pass litterbox",
        "DISPLAY": ":0",
    }.items():
        monkeypatch.setenv(name, value)


def test_it_is_the_hosts_but_for_what_is_ours():
    made = environment.of_the_host({}, None)
    assert made["FROM_THE_HOST"] == "yes"
    assert made["DISPLAY"] == ":0"
    assert not {"PWD", "OLDPWD", "TERM", "LITTERBOX_PASSWORD_COMMAND", "LITTERBOX_ROOT"} & made.keys()


def test_the_display_is_the_newest_logins():
    assert environment.of_the_host({"DISPLAY": ":7"}, None)["DISPLAY"] == ":7"


@pytest.mark.parametrize(
    ("term", "taken"),
    [("xterm-256color", "xterm-256color"), ("screen.xterm-new", "screen.xterm-new"), ("", "xterm"),
     ("../../tmp/x", "xterm"), ("a/b", "xterm"), (".", "xterm"), ("x" * 65, "xterm"), ("x\n", "xterm"), ("é", "xterm")],
)  # fmt: skip
def test_a_terminals_name_is_a_plain_one(term, taken):
    assert environment.of_the_host({}, term)["TERM"] == taken
