"""Changing one setting keeps the rest of the file, and a mistake keeps all of it."""

import os
import threading

import pytest

from litterbox import paths
from litterbox.errors import SettingsError, UsageError
from litterbox.settings import box_settings, settings_file
from litterbox.settings.host_commands import Command

BEFORE = """\
# mine
network = "pasta"   # why

# another
wayland = false
"""


@pytest.fixture(autouse=True)
def file() -> str:
    os.makedirs(paths.definitions())
    path = paths.settings("work")
    with open(path, "w") as file:
        file.write(BEFORE)
    return path


def text() -> str:
    with open(paths.settings("work")) as file:
        return file.read()


@pytest.mark.parametrize("word", ["none", '"none"', "'none'"])
def test_a_text_needs_no_quotes_and_comments_stay(word):
    assert settings_file.set_key("work", "network", word)
    assert text() == BEFORE.replace("pasta", "none")


def test_a_key_that_is_not_in_the_file_comes_last():
    assert settings_file.set_key("work", "dialog_timeout", "90")
    assert text() == f"{BEFORE}dialog_timeout = 90\n"
    assert box_settings.load("work").dialog_timeout == 90


def test_unset_takes_the_key_out():
    assert settings_file.unset_key("work", "wayland")
    assert "wayland" not in text()
    assert "# mine" in text()
    assert not settings_file.unset_key("work", "wayland")


def test_setting_what_is_set_writes_nothing(file):
    before = os.stat(file).st_ino
    assert not settings_file.set_key("work", "wayland", "false")
    assert not settings_file.unset_key("work", "pipewire")
    assert os.stat(file).st_ino == before


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("network", "bridge"),
        ("network", "1"),
        ("wayland", "0"),
        ("wayland", "yes"),
        ("dialog_timeout", "true"),
        ("dialog_timeout", ""),
    ],
)
def test_a_value_that_is_not_allowed_changes_nothing(key, word):
    with pytest.raises(SettingsError, match=key):
        settings_file.set_key("work", key, word)
    assert text() == BEFORE


def test_a_value_is_no_way_to_write_another_key():
    settings_file.set_key("work", "wayland", "true\nnetwork = 'host'")
    assert box_settings.load("work") == box_settings.Settings(network="pasta", wayland=True)


@pytest.mark.parametrize("key", ["colour", "", "net\nwork"])
def test_a_key_that_there_is_not_is_named_with_those_there_are(key):
    with pytest.raises(UsageError, match="is no setting") as caught:
        settings_file.set_key("work", key, "1")
    assert "network" in caught.value.hint
    assert text() == BEFORE


def test_a_broken_file_is_left_to_its_user(file):
    with open(file, "w") as broken:
        broken.write("network = \n")
    with pytest.raises(SettingsError):
        settings_file.set_key("work", "network", "none")
    assert text() == "network = \n"


def test_a_link_to_the_file_stays_a_link(file, tmp_path):
    os.rename(file, tmp_path / "elsewhere.toml")
    os.symlink(tmp_path / "elsewhere.toml", file)
    settings_file.set_key("work", "network", "none")
    assert os.path.islink(file)
    assert 'network = "none"' in (tmp_path / "elsewhere.toml").read_text()


def test_a_missing_file_is_made(file):
    os.unlink(file)
    settings_file.set_key("work", "wayland", "true")
    assert text() == "wayland = true\n"


def test_changes_at_the_same_time_are_all_kept():
    changes = {"network": "none", "wayland": "true", "pipewire": "true", "dialog_timeout": "7"}
    threads = [threading.Thread(target=settings_file.set_key, args=["work", *change]) for change in changes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert box_settings.load("work") == box_settings.Settings(
        network="none", wayland=True, pipewire=True, dialog_timeout=7
    )


def test_a_whole_new_text_is_taken_where_it_is_valid():
    assert settings_file.replace("work", b"wayland = true\n")
    assert not settings_file.replace("work", b"wayland = true\n")
    with pytest.raises(SettingsError):
        settings_file.replace("work", b"wayland = 3\n")
    assert text() == "wayland = true\n"


@pytest.mark.parametrize("word", ["\udcff", '"\udcff"', "[" * 100_000, "9" * 5_000, "a" * 300_000])
def test_a_word_that_no_file_could_hold_is_refused(word):
    with pytest.raises(SettingsError):
        settings_file.set_key("work", "network", word)
    assert text() == BEFORE


def test_a_program_whose_name_is_not_utf8_is_refused():
    with pytest.raises(SettingsError, match="not UTF-8"):
        settings_file.add_command("work", "tool", Command(program="/bin/\udcff"))
    assert text() == BEFORE
