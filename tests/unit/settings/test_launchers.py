"""Programs that run others are recognised by their names, whatever the version, and through links."""

import os

import pytest

from litterbox.settings.launchers import runs_what_it_is_told


@pytest.mark.parametrize(
    "name",
    ["sh", "bash", "env", "python3", "python3.11", "perl5.36.0", "node", "find", "xargs", "awk", "sed", "vim.basic",
     "less", "tar", "ssh", "git", "make", "sudo", "docker", "podman", "systemd-run", "gcc-12", "lua5.4",
     "ld-linux-x86-64.so.2", "g++", "sqlite3", "original-awk"],
)  # fmt: skip
def test_they_are_known(name):
    assert runs_what_it_is_told(f"/nonexistent/{name}")


@pytest.mark.parametrize(
    "name", ["cat", "sha256sum", "nvidia-smi", "date", "shasum", "pyramid", "3", "7z", ".", "gitk2x"]
)
def test_others_are_not(name):
    assert not runs_what_it_is_told(f"/nonexistent/git/{name}")


def test_links_are_followed(tmp_path):
    os.symlink("alternative", tmp_path / "tool")
    os.symlink(tmp_path / "bin" / "mawk", tmp_path / "alternative")
    assert runs_what_it_is_told(str(tmp_path / "tool"))


def test_links_in_a_circle_end(tmp_path):
    os.symlink("tool", tmp_path / "tool")
    assert not runs_what_it_is_told(str(tmp_path / "tool"))
