"""Settings are read strictly: a mistake names file, key and what is allowed, and nothing is guessed."""

import os

import pytest

from litterbox import paths
from litterbox.container import settings
from litterbox.container.settings import Settings
from litterbox.errors import SettingsError


@pytest.fixture
def write():
    os.makedirs(paths.definitions())

    def write(text):
        with open(paths.settings("work"), "w") as file:
            file.write(text)

    return write


def test_the_file_that_define_writes_is_valid_and_has_every_key(write):
    write(settings.TEMPLATE.format(name="work", network="pasta"))
    assert settings.load("work") == Settings(network="pasta", wayland=False, pipewire=False)


def test_a_missing_file_is_the_defaults():
    assert settings.load("work") == Settings()


def test_every_network_is_taken(write):
    for network in ("pasta", "slirp4netns", "none", "host"):
        write(f'network = "{network}"')
        assert settings.load("work").network == network


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('network = "bridge"', ["network", "'bridge'", '"pasta"', '"none"']),
        ("network = true", ["network", "True", '"host"']),
        ("wayland = 1", ["wayland", "1", "true or false"]),
        ('pipewire = "yes"', ["pipewire", "'yes'", "true or false"]),
        ("colour = 3", ["unknown key colour", "network", "wayland", "pipewire"]),
        ("network = pasta", ["not TOML", "line 1"]),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(write, text, words):
    write(text)
    with pytest.raises(SettingsError) as caught:
        settings.load("work")
    for word in [paths.settings("work"), *words]:
        assert word in caught.value.sentence


def test_a_file_that_is_not_text_is_refused(write):
    with open(paths.settings("work"), "wb") as file:
        file.write(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not TOML"):
        settings.load("work")


def test_the_default_network_follows_podman():
    assert settings.default_network((5, 4, 2)) == "pasta"
    assert settings.default_network((4, 3, 1)) == "slirp4netns"
