"""Names are checked before any path is made of them; sockets that Linux cannot bind are refused with a sentence."""

import pytest

from litterbox import paths
from litterbox.errors import BadBoxName, HostError


@pytest.mark.parametrize("name", ["a", "0", "work", "my-box_2", "a" * 32])
def test_a_good_name_is_returned(name):
    assert paths.check_box_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "../x", "a" * 33, "Work", "bär", "-a", "_a", "a b", "a/b", "a.b", "a\n", "a\0", "٣", "."]
)
def test_a_bad_name_is_refused_everywhere(name):
    for make in (
        paths.check_box_name,
        paths.container_name,
        paths.image_name,
        paths.build_context,
        paths.dockerfile,
        paths.former_dockerfile,
        paths.runtime_note,
        paths.settings,
        paths.home,
        paths.daemon_log,
        paths.audit_log,
        paths.daemon_lock,
        paths.session_lock,
        paths.enter_lock,
        paths.sockets,
        paths.control_socket,
    ):
        with pytest.raises(BadBoxName):
            make(name)


def test_the_sentence_shows_a_hostile_name_escaped_and_bounded():
    with pytest.raises(BadBoxName) as caught:
        paths.check_box_name("\x1b[31m" + "x" * 10_000)
    assert "\x1b" not in caught.value.sentence
    assert len(caught.value.sentence) < 120


def test_no_runtime_folder_is_an_error_with_its_way_out(monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with pytest.raises(HostError, match="XDG_RUNTIME_DIR is not set"):
        paths.agent_socket("work")


def test_a_runtime_folder_that_is_not_there_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    with pytest.raises(HostError, match="cannot be used"):
        paths.agent_socket("work")


def test_too_long_a_socket_path_is_an_error(monkeypatch, tmp_path):
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with pytest.raises(HostError, match="107 bytes"):
        paths.agent_socket("work")


@pytest.mark.parametrize("root", ["relative", "/a:b", "/a,b", "/a;b"])
def test_a_root_that_podman_or_the_loader_would_split_is_refused(monkeypatch, root):
    monkeypatch.setenv("LITTERBOX_ROOT", root)
    with pytest.raises(HostError, match="cannot be the folder of Litterbox"):
        paths.root()
