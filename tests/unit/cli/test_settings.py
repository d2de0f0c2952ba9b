"""`litterbox settings` by hand and by script, with editors that are real programs."""

import json
import os
import stat

import pytest
from click.testing import CliRunner, Result

from litterbox import paths
from litterbox.cli.settings import command
from litterbox.errors import HostError, LitterboxError, NoSuchBox, SettingsError

BEFORE = "# mine\nwayland = false\n"


@pytest.fixture(autouse=True)
def box() -> None:
    os.makedirs(paths.build_context("work"))
    with open(paths.dockerfile("work"), "w") as file:
        file.write("FROM scratch\n")
    with open(paths.settings("work"), "w") as file:
        file.write(BEFORE)


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """An editor that puts these words into the file, one text a call."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def write(*texts: str) -> None:
        for number, text in enumerate(texts):
            (tmp_path / f"text{number}").write_text(text)
        program = tmp_path / "editor"
        program.write_text(
            f'#!/bin/sh\ncd {tmp_path}\nfor text in text*; do mv "$text" used; cat used >"$2"; exit; done\n'
        )
        program.chmod(stat.S_IRWXU)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", f"{program} --wait")

    return write


def run(*words: str, typed: str = "") -> Result:
    done = CliRunner().invoke(command, ["work", *words], input=typed)
    if isinstance(done.exception, LitterboxError):
        raise done.exception
    return done


def text() -> str:
    with open(paths.settings("work")) as file:
        return file.read()


def test_what_counts_is_shown_defaults_included():
    assert run().stdout.splitlines() == [
        "# network: as Podman has it by default",
        "wayland = false",
        "pipewire = false",
        "nested = false",
        "dialog_timeout = 60",
        "notify = true",
        'xdg_open = "confirm"',
        'xdg_open_schemes = ["http", "https", "mailto"]',
        'clipboard = "confirm"',
        "host_exec = false",
    ]
    assert run("--show").stdout == run().stdout


def test_json_is_for_scripts():
    assert json.loads(run("--json").stdout) == {
        "network": None,
        "wayland": False,
        "pipewire": False,
        "nested": False,
        "dialog_timeout": 60,
        "notify": True,
        "xdg_open": "confirm",
        "xdg_open_schemes": ["http", "https", "mailto"],
        "clipboard": "confirm",
        "host_exec": False,
        "commands": {},
    }


def test_a_setting_is_changed_and_when_it_counts_is_said():
    assert run("set", "dialog_timeout", "90").stderr == "dialog_timeout is 90, from now on.\n"
    assert "litterbox build" in run("set", "network", "none").stderr
    assert run("set", "network", "none").stderr == "network is so already.\n"
    assert text() == f'{BEFORE}dialog_timeout = 90\nnetwork = "none"\n'
    assert run("unset", "network").stderr.startswith("network has its default. It counts")
    assert text() == f"{BEFORE}dialog_timeout = 90\n"


def test_a_mistake_changes_nothing():
    with pytest.raises(SettingsError, match="dialog_timeout = 'soon' is not allowed"):
        run("set", "dialog_timeout", "soon")
    assert text() == BEFORE
    assert run("--edit", "set", "network", "none").exit_code == 2
    assert text() == BEFORE


def test_a_box_that_there_is_not():
    done = CliRunner().invoke(command, ["other", "set", "network", "none"])
    assert isinstance(done.exception, NoSuchBox)


def test_an_edited_file_counts_when_it_is_valid(editor, tmp_path):
    editor("wayland = true\n")
    assert run("--edit").exit_code == 0
    assert text() == "wayland = true\n"
    assert not list(tmp_path.glob("work-*"))


def test_a_mistake_can_be_mended(editor, tmp_path):
    editor("wayland = 1\n", "wayland = true\n")
    done = run("--edit", typed="y\n")
    assert "wayland = 1 is not allowed" in done.stderr
    assert text() == "wayland = true\n"
    assert not list(tmp_path.glob("work-*"))


def test_who_gives_up_loses_neither_the_file_nor_what_they_wrote(editor):
    editor("wayland = 1\n")
    with pytest.raises(LitterboxError, match="Nothing was changed") as caught:
        run("--edit", typed="n\n")
    assert text() == BEFORE
    kept = caught.value.hint.removeprefix("What you wrote is in ").removesuffix(".")
    with open(kept) as file:
        assert file.read() == "wayland = 1\n"


def test_an_editor_that_changes_nothing(editor):
    editor(BEFORE)
    assert run("--edit").stderr == "Nothing was changed.\n"


@pytest.mark.parametrize("words", ["/no/such/editor", "false", "un'closed"])
def test_an_editor_that_cannot_be_run_or_fails(words, monkeypatch):
    monkeypatch.setenv("VISUAL", words)
    with pytest.raises(HostError, match="editor"):
        run("--edit")
    assert text() == BEFORE
