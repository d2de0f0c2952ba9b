"""The links of the interceptors, and the files that put them on PATH: read by a real sh."""

import os
import subprocess

import pytest

from litterbox_guest import links

FOLDER = "/run/litterbox/bin"


@pytest.mark.parametrize(
    ("accepted", "commands", "expected"),
    [
        ([], [], set()),
        (["notify"], ["nvidia-smi"], {"notify-send"}),
        (["notify", "xdg_open", "clipboard"], [], {"notify-send", "xdg-open", "litterbox-clipboard"}),
        (["host_exec", "unheard-of"], ["nvidia-smi", "g++"], {"host-exec", "nvidia-smi", "g++"}),
        (["host_exec"], ["../x", "a/b", "", ".", "..", "x\n", "litterbox", "xdg-open", "y" * 65], {"host-exec"}),
    ],
)
def test_what_is_accepted_has_a_link(accepted, commands, expected):
    assert links.names(accepted, commands) == expected


def test_the_folder_holds_just_the_links(tmp_path):
    folder = str(tmp_path / "run" / "bin")
    links.install(folder, {"notify-send", "xdg-open"})
    os.unlink(f"{folder}/xdg-open")
    os.symlink("/bin/sh", f"{folder}/xdg-open")
    (tmp_path / "run/bin/planted").write_text("#!/bin/sh\n")
    links.install(folder, {"xdg-open", "host-exec"})
    assert {name: os.readlink(f"{folder}/{name}") for name in os.listdir(folder)} == {
        "xdg-open": "/litterbox",
        "host-exec": "/litterbox",
    }


def test_the_path_files(tmp_path):
    for _ in range(2):
        links.write_path_files(FOLDER, root=str(tmp_path))
    etc = tmp_path / "etc"
    written = sorted(str(path.relative_to(etc)) for path in etc.rglob("*") if path.is_file())
    assert written == ["environment.d/litterbox.conf", "fish/conf.d/litterbox.fish", "profile.d/litterbox.sh"]
    assert (etc / "environment.d/litterbox.conf").read_text() == "PATH=/run/litterbox/bin:$PATH\n"


@pytest.mark.parametrize("before", ["/usr/bin:/bin", f"{FOLDER}:/usr/bin:/bin"])
def test_a_posix_shell_has_the_folder_first_and_once(tmp_path, before):
    links.write_path_files(FOLDER, root=str(tmp_path))
    script = f'. {tmp_path}/etc/profile.d/litterbox.sh; printf %s "$PATH"'
    shown = subprocess.run(
        ["/bin/sh", "-euc", script], env={"PATH": before}, capture_output=True, text=True, check=True
    )
    assert shown.stdout == f"{FOLDER}:/usr/bin:/bin"


def test_a_folder_that_cannot_be_written_is_told(tmp_path, caplog):
    (tmp_path / "etc").write_text("no folder")
    links.write_path_files(FOLDER, root=str(tmp_path))
    assert caplog.text.count("cannot be written") == 3
