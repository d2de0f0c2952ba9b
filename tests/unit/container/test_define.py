"""Templates make a Dockerfile and settings; what the user has written is never overwritten."""

import os

import pytest

from litterbox import paths
from litterbox.container import create, define, podman, templates
from litterbox.errors import BadBoxName, LitterboxError, NoSuchBox, UsageError


@pytest.fixture(autouse=True)
def podman_5(monkeypatch):
    monkeypatch.setattr(podman, "version", lambda: (5, 4, 2))


@pytest.mark.parametrize("template", [name for name in templates.NAMES if name != "local"])
def test_every_template_takes_the_users_arguments(template):
    text = templates.render(template, name="work", image=None)
    for argument in ("ARG USER", "ARG UID", "ARG GID", "/home/user", "litterbox build work", "FROM "):
        assert argument in text
    assert "{" not in text


def test_local_builds_on_the_image():
    text = templates.render("local", name="work", image="localhost/base:latest")
    assert "\nFROM localhost/base:latest\n" in text


def test_an_unknown_template_is_refused_with_the_known_ones():
    with pytest.raises(UsageError) as caught:
        define.define("work", template="../../etc/passwd")
    assert "opensuse-tumbleweed" in caught.value.hint
    assert not os.path.exists(paths.root())


@pytest.mark.parametrize("image", ["", "-x", "a b", "a\nRUN evil", "a$b", "a\\"])
def test_an_image_name_that_could_end_the_line_is_refused(image):
    with pytest.raises(UsageError):
        define.define("work", template="local", image=image)
    assert not os.path.exists(paths.root())


def test_a_bad_name_changes_nothing():
    with pytest.raises(BadBoxName):
        define.define("../x", template="debian")
    assert not os.path.exists(paths.root())


def test_defining_writes_both_files_and_the_box_is_known():
    assert define.define("work", template="debian") is True
    assert define.defined() == ["work"]
    assert define.check_defined("work") == "work"
    assert os.path.exists(paths.settings("work"))


def test_the_same_definition_again_is_no_change_and_another_is_refused():
    define.define("work", template="debian")
    assert define.define("work", template="debian") is False
    with open(paths.dockerfile("work"), "a") as file:
        file.write("RUN mine\n")
    with pytest.raises(LitterboxError, match="defined already"):
        define.define("work", template="debian")
    with open(paths.dockerfile("work")) as file:
        assert file.read().endswith("RUN mine\n")


def test_an_unknown_box_is_told_with_the_known_ones():
    define.define("work", template="debian")
    with pytest.raises(NoSuchBox) as caught:
        define.check_defined("play")
    assert caught.value.hint == "The boxes are: work."


def test_a_box_that_was_built_is_known_without_its_dockerfile():
    create.prepare_host_side("built")
    define.define("defined", template="debian")
    assert define.known() == ["built", "defined"]
    assert define.check_known("built") == "built"
    with pytest.raises(NoSuchBox, match="There is no box built"):
        define.check_defined("built")
    with pytest.raises(NoSuchBox, match="There is no box other"):
        define.check_known("other")
