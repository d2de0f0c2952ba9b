"""The parts that the integration tests share: a display with a person before it, a host socket with commands."""

import pytest
from support.display import virtual_display
from support.host_socket import serving


@pytest.fixture
def display():
    with virtual_display() as shown:
        yield shown


SETTINGS = """
host_exec = true
commands.sh.program = "/bin/sh"
commands.cat.program = "/bin/cat"
commands.pwd.program = "/bin/pwd"
commands.head.program = "/usr/bin/head"
commands.yes.program = "/usr/bin/yes"
commands.sleep.program = "/bin/sleep"
commands.true.program = "/bin/true"
commands.env.program = "/usr/bin/env"
commands.sha256sum.program = "/usr/bin/sha256sum"
commands.bash.program = "/bin/bash"
commands.sudo.program = "/usr/bin/sudo"
commands.less.program = "/usr/bin/less"
commands.gone.program = "/nonexistent/program"
commands.limited = {program = "/bin/echo", arguments = [["fine"]]}
commands.here = {program = "/bin/pwd", folder = "box"}
"""


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.setenv("LITTERBOX_ROOT", str(tmp_path / "Litterbox"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("OF_THE_HOST", "yes")
    for history in ("HISTFILE", "LESSHISTFILE"):  # of the shells and pagers of the tests, which would be in the home
        monkeypatch.setenv(history, "/dev/null")
    with serving(str(tmp_path), SETTINGS) as socket:
        yield socket
