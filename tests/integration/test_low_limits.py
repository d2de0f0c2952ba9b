"""A box that opens as many connections as it can, where the system grants few open files: others are served still."""

import contextlib
import os
import resource

import pytest
from support.box_clients import GREETING, is_closed, many, send, to_agent, to_host, wait_until
from support.daemon import running_daemon

from litterbox import limits, paths
from litterbox.control import client
from litterbox_guest import wire

SETTINGS = """
host_exec = true
commands.echo.program = "/bin/echo"
"""


@pytest.fixture(autouse=True)
def many_open_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("LITTERBOX_ROOT", str(tmp_path / "Litterbox"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    os.makedirs(paths.definitions())
    with open(paths.settings("work"), "w") as file:
        file.write(SETTINGS)


@pytest.mark.parametrize("hard", [1024, 4096])
def test_a_box_takes_no_descriptor_that_the_control_socket_or_a_host_command_needs(hard):
    most = (hard - limits.RESERVED_OPEN_FILES) // 2
    with running_daemon(open_files=hard) as daemon, to_host() as early, contextlib.ExitStack() as stack:
        assert f"at most {most} connections, because the hard limit on open files is low" in daemon.log
        of_agent = stack.enter_context(many(to_agent, most + 50))
        of_host = stack.enter_context(many(lambda: to_host(greeted=False), most + 50))
        for connection in of_host:
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(GREETING)
        assert client.ask("work", {"request": "status"})["done"] == "status"
        command = wire.encode({"type": "host_exec", "command": "echo", "args": ["served"]})
        assert b"served" in send(early, command)
        wait_until(lambda: sum(map(is_closed, of_agent)) == 50)
        assert daemon.figures().descriptors <= hard
        assert client.ask("work", {"request": "status"})["done"] == "status"
    assert "accept returned" not in daemon.log
