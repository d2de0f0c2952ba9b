"""A box that reaches the network does not reach its host's own services by the addresses that stand for it."""

import os

import pytest

from litterbox.container import network
from litterbox.errors import HostError
from litterbox.settings.box_settings import Settings


@pytest.fixture
def pasta(tmp_path, monkeypatch):
    """Put a pasta on PATH that is this shell script."""
    monkeypatch.setattr(network, "_HELPER_FOLDERS", ())
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def write(script):
        (tmp_path / "pasta").write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(tmp_path / "pasta", 0o755)

    return write


def chosen():
    return network.option(Settings(network="pasta"), (5, 4, 2))


def test_what_pasta_knows_is_closed(pasta):
    pasta("echo '  --map-host-loopback ADDR  Translate'; echo '  --map-guest-addr ADDR  Translate' >&2")
    assert chosen() == "pasta:--map-guest-addr,none,--map-host-loopback,none"


def test_an_older_pasta_is_not_given_what_it_would_refuse(pasta):
    pasta("echo '  --no-map-gw  Do not map'")
    assert chosen() == "pasta"


def test_a_pasta_that_cannot_be_asked_is_an_error(pasta, tmp_path, monkeypatch):
    pasta("exec sleep 100")
    monkeypatch.setattr(network, "_HELP_TIMEOUT", 0.1)
    with pytest.raises(HostError, match=f"{tmp_path}/pasta --help"):
        chosen()


def test_without_pasta_podman_says_so_at_the_start(monkeypatch, tmp_path):
    monkeypatch.setattr(network, "_HELPER_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chosen() == "pasta"


def test_the_other_networks_do_not_ask_pasta(pasta):
    pasta("exit 1")
    assert network.option(Settings(network="none"), (5, 4, 2)) == "none"
    assert network.option(Settings(network="host"), (5, 4, 2)) == "host"
    assert network.option(Settings(), (4, 9, 4)) == "slirp4netns:allow_host_loopback=false"
