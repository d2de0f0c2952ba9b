"""A host command has the host's environment, and no word of the box's but the name of its terminal."""

import pytest

from litterbox.capabilities.host_exec import environment

LOGIN = {
    "FROM_THE_HOST": "yes",
    "PWD": "/somewhere",
    "OLDPWD": "/before",
    "TERM": "dumb",
    "LITTERBOX_PASSWORD_COMMAND": "pass litterbox",
    "DISPLAY": ":0",
}


def test_it_is_the_logins_but_for_what_is_ours():
    assert environment.of_a_command(LOGIN, None) == {"FROM_THE_HOST": "yes", "DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("term", "taken"),
    [("xterm-256color", "xterm-256color"), ("screen.xterm-new", "screen.xterm-new"), ("", "xterm"),
     ("../../tmp/x", "xterm"), ("a/b", "xterm"), (".", "xterm"), ("x" * 65, "xterm"), ("x\n", "xterm"), ("é", "xterm")],
)  # fmt: skip
def test_a_terminals_name_is_a_plain_one(term, taken):
    assert environment.of_a_command(LOGIN, term)["TERM"] == taken
