"""Each test has a user with an empty ~/Litterbox; the display is one for all, the boxes are removed."""

import glob
import os
import shlex
from contextlib import contextmanager

import pytest
from support.display import virtual_display
from support.kept_box import KeptBox
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


@pytest.fixture(scope="module")
def make_box():
    """What a module makes once for `kept_box`; one that needs another box has a fixture of this name."""
    return lambda user: user.define_and_build("work")


@pytest.fixture(scope="module")
def kept_box(one_user, make_box, tmp_path_factory):
    return KeptBox(one_user, make_box, str(tmp_path_factory.mktemp("kept") / "Litterbox"))


@pytest.fixture
def user_of_kept_box(request, one_user, kept_box):
    """The module's one user, who has just made the box; or who has nothing, for a test that asks for no `box`."""
    if "box" in request.fixturenames:
        kept_box.restore()
    else:
        kept_box.remove()
    yield one_user
    show_logs(one_user.root)
    kept_box.stop()


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
    show_logs(root)
    for name in podman("ps", "--all", "--format", "{{.Names}}").stdout.split():
        someone.litterbox("stop", name.removeprefix("lbx-"), status=None)
        podman("rm", "--force", "--time=0", name)


def show_logs(root):
    """Print what the daemons wrote, which pytest shows beside a failure."""
    for log in glob.glob(f"{root}/logs/*"):
        with open(log) as file:
            print(f"== {log}\n{file.read()}")


@pytest.fixture
def person(display):
    return Person(display)
