import os
import stat

import pytest

from litterbox_guest import home
from litterbox_guest.account import Account


class SameUser(Account):
    """Who prepares the home here already is its user."""

    def assume(self):
        pass


@pytest.fixture
def place(tmp_path):
    """An empty home, and what an image brings for it."""
    for folder in ("home", "skel", "run"):
        (tmp_path / folder).mkdir()
    return tmp_path


@pytest.fixture
def prepare(place):
    def run():
        account = SameUser(os.getuid(), os.getgid(), str(place / "home"), etc="/nonexistent")
        home.prepare(
            str(marker(place)),
            account,
            dict(os.environ),
            lock=str(place / "run" / "home.lock"),
            skel=str(place / "skel"),
            script=str(place / "prep-home.sh"),
        )

    return run


def marker(place):
    return place / "home" / ".local/state/litterbox/home-prepared"


def write_script(place, content, mode=0o755):
    (place / "prep-home.sh").write_text(content)
    (place / "prep-home.sh").chmod(mode)


def test_an_empty_home_gets_what_skel_has(place, prepare):
    (place / "skel" / ".config").mkdir()
    (place / "skel" / ".config" / "tool").write_text("setting")
    (place / "skel" / ".config" / "tool").chmod(0o600)
    (place / "skel" / "link").symlink_to(".config/tool")

    prepare()

    copied = place / "home" / ".config" / "tool"
    assert (copied.read_text(), stat.S_IMODE(copied.stat().st_mode)) == ("setting", 0o600)
    assert os.readlink(place / "home" / "link") == ".config/tool"
    assert marker(place).exists()


def test_a_home_in_use_keeps_what_it_has(place, prepare):
    (place / "skel" / ".bashrc").touch()
    (place / "home" / "mine").touch()

    prepare()

    assert sorted(os.listdir(place / "home")) == [".local", "mine"]


def test_what_an_interrupted_entry_did_not_copy_is_copied_by_the_next(place, prepare, monkeypatch):
    for name in ("a", "b", "c"):
        (place / "skel" / name).write_text(name * 10)
        (place / "skel" / "folder").mkdir(exist_ok=True)
        (place / "skel" / "folder" / name).write_text(name * 10)
    copied = home._copy_file
    done = []

    def copy_until_killed(source, target, mode):
        if len(done) == 3:
            with open(target + home._PARTIAL, "w") as file:
                file.write("half")
            os._exit(1)
        copied(source, target, mode)
        done.append(target)

    monkeypatch.setattr(home, "_copy_file", copy_until_killed)
    prepare()
    assert not marker(place).exists()

    monkeypatch.setattr(home, "_copy_file", copied)
    prepare()

    assert marker(place).exists()
    for folder in (place / "home", place / "home" / "folder"):
        assert [(folder / name).read_text() for name in ("a", "b", "c")] == ["a" * 10, "b" * 10, "c" * 10]
    assert not list((place / "home").rglob(f"*{home._PARTIAL}"))


def test_a_disk_that_is_full_leaves_no_half_file_and_the_next_entry_goes_on(place, prepare, capfd, monkeypatch):
    (place / "skel" / "a").write_text("whole")
    (place / "skel" / "b").write_text("whole")
    copied = os.fchmod

    def no_space(_descriptor, _mode):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fchmod", no_space)
    prepare()
    assert "No space left on device: ./" in capfd.readouterr().err
    assert os.listdir(place / "home") == [".local"]

    monkeypatch.setattr(os, "fchmod", copied)
    (place / "home" / "mine").write_text("mine")
    prepare()

    assert sorted(os.listdir(place / "home")) == [".local", "a", "b", "mine"]


def test_an_image_that_brings_nothing_is_prepared_too(place, prepare):
    (place / "skel").rmdir()

    prepare()

    assert marker(place).exists()


@pytest.mark.parametrize("mode", [0o755, 0o644])
def test_the_script_runs_in_the_home_executable_or_not(place, prepare, mode):
    write_script(place, "#!/bin/sh\npwd > where\n", mode)

    prepare()

    assert (place / "home" / "where").read_text() == f"{place}/home\n"


def test_the_script_speaks_on_stderr_and_reads_nothing(place, prepare, capfd):
    write_script(place, "#!/bin/sh\necho said; cat\n")

    prepare()

    assert capfd.readouterr() == ("", "said\n")


@pytest.mark.parametrize(
    ("script", "how"),
    [("exit 3", "ended with status 3"), ("kill -9 $$", "was ended by signal 9")],
)
def test_a_script_that_fails_is_one_line_and_no_marker(place, prepare, capfd, script, how):
    write_script(place, f"#!/bin/sh\n{script}\n")

    prepare()

    assert capfd.readouterr().err == f"litterbox: {place}/prep-home.sh {how}; the next entry tries again\n"
    assert not marker(place).exists()


def test_a_home_that_cannot_be_prepared_is_one_line(place, prepare, capfd):
    (place / "home" / ".local").touch()

    prepare()

    said = capfd.readouterr().err
    assert said.startswith("litterbox: the home could not be prepared: Not a directory: ")
    assert said.endswith("; the next entry tries again\n")
    assert said.count("\n") == 1


def test_what_another_entry_has_prepared_meanwhile_is_left_alone(place, prepare):
    marker(place).parent.mkdir(parents=True)
    marker(place).touch()
    write_script(place, "#!/bin/sh\ntouch ran\n")

    prepare()

    assert not (place / "home" / "ran").exists()
