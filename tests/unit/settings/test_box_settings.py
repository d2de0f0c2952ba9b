"""Settings are read strictly: a mistake names file, key and what is allowed, and nothing is guessed."""

import logging
import os

import attrs
import pytest

from litterbox import paths
from litterbox.container import create
from litterbox.errors import SettingsError
from litterbox.settings import box_settings
from litterbox.settings.box_settings import Settings


@pytest.fixture
def write():
    os.makedirs(paths.definitions())

    def write(text):
        with open(paths.settings("work"), "w") as file:
            file.write(text)

    return write


def test_the_file_that_define_writes_is_valid_and_has_every_key(write):
    write(box_settings.TEMPLATE.format(name="work", network="pasta"))
    assert box_settings.load("work") == Settings(network="pasta", wayland=False, pipewire=False, dialog_timeout=60)
    for key in attrs.fields_dict(Settings):
        assert (f"\n{key} = " if key != "commands" else "[commands.NAME]") in box_settings.TEMPLATE


def test_a_missing_file_is_the_defaults():
    assert box_settings.load("work") == Settings()


def test_every_network_is_taken(write):
    for network in ("pasta", "slirp4netns", "none", "host"):
        write(f'network = "{network}"')
        assert box_settings.load("work").network == network


@pytest.mark.parametrize("seconds", [5, 60, 3600])
def test_a_dialog_waits_as_long_as_the_file_says(write, seconds):
    write(f"dialog_timeout = {seconds}")
    assert box_settings.load("work").dialog_timeout == seconds


def test_a_changed_timeout_counts_for_the_next_dialog(write):
    assert box_settings.dialog_timeout("work") == 60
    write("dialog_timeout = 90")
    assert box_settings.dialog_timeout("work") == 90


@pytest.mark.parametrize("text", ["dialog_timeout = 0", "dialog_timeout = ", "network = 7\ndialog_timeout = 90"])
def test_dialogs_wait_as_by_default_where_the_settings_are_broken_and_the_log_says_so(write, text, caplog):
    write(text)
    with caplog.at_level(logging.WARNING):
        assert box_settings.dialog_timeout("work") == 60
    [record] = caplog.records
    assert record.message.startswith("work: dialogs wait for 60 seconds: ")
    assert paths.settings("work") in record.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('network = "bridge"', ["network", "'bridge'", '"pasta"', '"none"']),
        ("network = true", ["network", "True", '"host"']),
        ("wayland = 1", ["wayland", "1", "true or false"]),
        ('pipewire = "yes"', ["pipewire", "'yes'", "true or false"]),
        ("dialog_timeout = 4", ["dialog_timeout", "4", "whole seconds from 5 to 3600"]),
        ("dialog_timeout = 3601", ["dialog_timeout", "3601", "3600"]),
        ("dialog_timeout = -60", ["dialog_timeout", "-60", "from 5"]),
        ("dialog_timeout = 60.0", ["dialog_timeout", "60.0", "whole seconds"]),
        ("dialog_timeout = true", ["dialog_timeout", "True", "whole seconds"]),
        ('dialog_timeout = "1 minute"', ["dialog_timeout", "'1 minute'", "whole seconds"]),
        ("notify = 1", ["notify", "1", 'true, false or "confirm"']),
        ('notify = "ask"', ["notify", "'ask'", '"confirm"']),
        ("colour = 3", ["unknown key colour", "network", "wayland", "pipewire", "dialog_timeout"]),
        ("network = pasta", ["not TOML", "line 1"]),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(write, text, words):
    write(text)
    with pytest.raises(SettingsError) as caught:
        box_settings.load("work")
    for word in [paths.settings("work"), *words]:
        assert word in caught.value.sentence


def test_a_file_that_is_not_text_is_refused(write):
    with open(paths.settings("work"), "wb") as file:
        file.write(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not TOML"):
        box_settings.load("work")


def test_the_default_network_follows_podman():
    assert box_settings.default_network((5, 4, 2)) == "pasta"
    assert box_settings.default_network((4, 3, 1)) == "slirp4netns"


def test_how_long_dialogs_wait_makes_no_container_out_of_date():
    for version in ((5, 4, 2), (4, 3, 1)):
        assert create.options("work", Settings(dialog_timeout=5), version) == create.options(
            "work", Settings(), version
        )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"notify = " + b"[" * 100_000, "nested too deeply"),
        (b"notify=" + b"{a=" * 5_000 + b"1" + b"}" * 5_000, "nested too deeply"),
        (b"#" * (box_settings.MAX_SIZE + 1), "larger than 256 KiB"),
        (b'notify = "\xff"', "not UTF-8, as byte 10 shows"),
        (b"dialog_timeout = " + b"9" * 5_000, "too many digits"),
        (b'notify = "' + b"x" * 100_000 + b'"', "notify = 'xxxx"),
        (b"x" * 100_000 + b" = 1", "unknown key xxx"),
        (b"\n".join(b"k%d = 1" % number for number in range(10_000)), "unknown key k0, k1"),
        (b"notify." + b".".join([b"a"] * 20_000) + b" = 1", "is not allowed"),
    ],
)
def test_a_file_that_is_too_much_is_a_sentence_of_bounded_length(content, reason):
    os.makedirs(paths.definitions(), exist_ok=True)
    with open(paths.settings("work"), "wb") as file:
        file.write(content)
    with pytest.raises(SettingsError, match=reason) as caught:
        box_settings.load("work")
    assert len(caught.value.sentence) < 600
