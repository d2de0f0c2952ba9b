"""The files that put the interceptors first on PATH, read by those they are for: fish, and systemd's user manager."""

import subprocess

import pytest

from litterbox_guest import links

FOLDER = "/run/litterbox/bin"
GENERATOR = "/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator"
USUAL = "/usr/local/bin:/usr/bin:/bin"


@pytest.fixture
def etc(tmp_path):
    links.write_path_files(FOLDER, root=str(tmp_path))
    return tmp_path / "etc"


@pytest.mark.parametrize("before", [USUAL, f"{FOLDER}:{USUAL}"])
def test_fish_has_the_folder_first_and_once(etc, before):
    script = f"source {etc}/fish/conf.d/litterbox.fish; string join : $PATH"
    done = subprocess.run(
        ["fish", "--no-config", "--command", script],
        env={"PATH": before, "HOME": str(etc)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{FOLDER}:{USUAL}\n"


def test_systemd_has_the_folder_first(etc):
    """It reads such a folder below ~/.config too, and begins with the PATH of the machine's own files."""
    done = subprocess.run(
        [GENERATOR], env={"PATH": USUAL, "HOME": "/nonexistent", "XDG_CONFIG_HOME": str(etc)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    [line] = done.stdout.splitlines()
    first, _colon, rest = line.removeprefix("PATH=").partition(":")
    assert first == FOLDER
    assert rest
