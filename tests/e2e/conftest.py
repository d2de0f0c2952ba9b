"""Each test has a user with an empty ~/Litterbox; the display is one for all, the boxes are removed."""

import glob
import os
import shlex
from contextlib import contextmanager

import pytest
from support.display import virtual_display
from support.person import Person
from support.user import PASSWORD, User, podman

from litterbox.container.runtime import bundles


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
    with a_user(str(tmp_path / "Litterbox"), display, runtime) as someone:
        yield someone


@pytest.fixture(scope="module")
def one_user(tmp_path_factory, display, runtime):
    """One user for all tests of a module, which change nothing of each other's; for a module without `user`."""
    with a_user(str(tmp_path_factory.mktemp("one") / "Litterbox"), display, runtime) as someone:
        yield someone


@pytest.fixture(scope="module")
def one_box(one_user):
    """A box of theirs, which runs."""
    one_user.define_and_build("work")
    with one_user.session("work"):
        yield "work"


@contextmanager
def a_user(root, display, runtime):
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
