"""The parts that the integration tests share: a display with a person before it, a host socket with commands."""

import contextlib
import os
import shutil

import pytest
from support.display import virtual_display
from support.host_socket import serving

from litterbox import paths


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
def host(tmp_path):
    with a_host(tmp_path) as socket:
        yield socket


@pytest.fixture(scope="module")
def one_host(tmp_path_factory):
    """One host socket for all tests of a module."""
    with a_host(tmp_path_factory.mktemp("host")) as socket:
        yield socket


@pytest.fixture
def host_as_new(one_host):
    """The module's host socket, with the settings, the audit log and the home of a new one."""
    with open(paths.settings("work"), "w") as file:
        file.write(SETTINGS)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(paths.audit_log("work"))
    shutil.rmtree(paths.home("work"))
    os.mkdir(paths.home("work"))
    return one_host


@contextlib.contextmanager
def a_host(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITTERBOX_ROOT", str(folder / "Litterbox"))
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("OF_THE_HOST", "yes")
        for history in (
            "HISTFILE",
            "LESSHISTFILE",
        ):  # of the shells and pagers of the tests, which would be in the home
            patch.setenv(history, "/dev/null")
        with serving(str(folder), SETTINGS) as socket:
            yield socket
