"""Each test has a user with an empty ~/Litterbox; the display is one for all, the boxes are removed."""

import glob
import os
import shlex

import pytest
from support.display import virtual_display
from support.person import Person
from support.user import PASSWORD, User, podman

from litterbox.container import runtime as bundles


@pytest.fixture(scope="session")
def display():
    with virtual_display() as shown:
        yield shown


@pytest.fixture(scope="session")
def runtime(tmp_path_factory):
    """A runtime for the boxes of all tests: building one for each takes seconds, and is tested by itself."""
    folder = str(tmp_path_factory.mktemp("runtime"))
    bundles.ensure(print, folder=folder)
    return folder


@pytest.fixture
def user(tmp_path, display, runtime):
    root = str(tmp_path / "Litterbox")
    kept = {key: os.environ[key] for key in ("HOME", "USER", "PATH", "XDG_RUNTIME_DIR", "LANG") if key in os.environ}
    someone = User(
        root,
        {
            **kept,
            **display.environment,
            "LITTERBOX_ROOT": root,
            "LITTERBOX_PASSWORD_COMMAND": f"printf %s {shlex.quote(PASSWORD)}",
            "TERM": "xterm",
        },
        runtime,
    )
    yield someone
    for log in glob.glob(f"{root}/logs/*"):  # shown beside a failure
        with open(log) as file:
            print(f"== {log}\n{file.read()}")
    for name in podman("ps", "--all", "--format", "{{.Names}}").stdout.split():
        someone.litterbox("stop", name.removeprefix("lbx-"), status=None)
        podman("rm", "--force", "--time=0", name)


@pytest.fixture
def person(display):
    return Person(display)
