"""`litterbox settings NAME host-exec`: commands come and go, and the folder of the box is never given by accident."""

import json
import os

import pytest
from click.testing import CliRunner

from litterbox import paths
from litterbox.cli.settings import command
from litterbox.errors import LitterboxError, SettingsError, UsageError
from litterbox.settings import box_settings
from litterbox.settings.host_commands import FOLDER_WARNING, Command

BEFORE = "# mine\nhost_exec = false  # not yet\n"


@pytest.fixture(autouse=True)
def box():
    os.makedirs(paths.build_context("work"))
    with open(paths.dockerfile("work"), "w") as file:
        file.write("FROM scratch\n")
    with open(paths.settings("work"), "w") as file:
        file.write(BEFORE)


def run(*words, typed=""):
    done = CliRunner().invoke(command, ["work", "host-exec", *words], input=typed)
    if isinstance(done.exception, LitterboxError):
        raise done.exception
    return done


def text():
    with open(paths.settings("work")) as file:
        return file.read()


def known():
    return box_settings.load("work").commands


def test_a_command_is_added_and_asks_from_then_on():
    said = run("add", "sh", "/bin/sh", "--link").stderr
    assert known() == {"sh": Command(program="/bin/sh", link=True)}
    assert box_settings.load("work").host_exec == "confirm"
    assert "# mine" in text()
    assert "# not yet" in text()
    warning, *others = said.splitlines()
    assert warning.startswith("litterbox: /bin/sh can run any other program, as its arguments or its input say")
    assert others == ["sh may be run from now on.", 'host_exec is "confirm" now: a window asks before each run.']
    assert run("add", "sh", "/bin/sh", "--link").stderr == "sh may be run so already.\n"


def test_a_program_that_runs_no_other_gets_no_warning():
    assert run("add", "cat", "/bin/cat").stderr.splitlines()[0] == "cat may be run from now on."


def test_two_wildcards_that_cross_slashes_are_refused():
    with pytest.raises(SettingsError, match=r"at most one \*\*"):
        run("add", "cat", "/bin/cat", "--arguments", "/a/**/b/**")
    assert text() == BEFORE


def test_forms_of_arguments_are_split_as_a_shell_does():
    run("add", "sh", "/bin/sh", "--arguments", "-c 'a b' ...", "--arguments", "")
    assert known()["sh"].arguments == (("-c", "a b", "..."), ())


def test_what_was_decided_before_stays():
    for value in ("true", '"confirm"'):
        with open(paths.settings("work"), "w") as file:
            file.write(f"host_exec = {value}\n")
        run("add", "sh", "/bin/sh")
        assert f"host_exec = {value}\n" in text()


def test_removing_takes_it_away():
    run("add", "sh", "/bin/sh")
    run("add", "cat", "/bin/cat")
    assert run("remove", "sh").stderr == "sh may no longer be run.\n"
    assert list(known()) == ["cat"]
    assert run("remove", "sh").stderr == "There is no command sh.\n"
    run("remove", "cat")
    assert "commands" not in text()


def test_they_are_listed():
    assert run("list").stdout == ""
    run("add", "sh", "/bin/sh", "--arguments", "-c *", "--arguments", "", "--link")
    run("add", "cat", "/bin/cat", "--folder", "box", "--yes")
    assert run("list").stdout.splitlines() == [
        "sh -c '*'  →  /bin/sh  (linked)",
        "sh  →  /bin/sh  (linked)",
        "cat ...  →  /bin/cat  (in the box's folder)",
    ]
    shown = json.loads(run("list", "--json").stdout)
    assert shown["sh"] == {"program": "/bin/sh", "arguments": [["-c", "*"], []], "folder": "empty", "link": True}


@pytest.mark.parametrize(
    ("called", "program"),
    [("sh", "sh"), ("sh", "./sh"), ("sh", "/nonexistent/sh"), ("sh", "/etc/passwd"), ("sh", "/bin")],
)
def test_a_program_that_cannot_be_run_is_refused(called, program):
    with pytest.raises(UsageError, match=r"program|path"):
        run("add", called, program)
    assert text() == BEFORE


@pytest.mark.parametrize("called", ["a/b", "", ".", "..", "xdg-open", "host-exec", "litterbox", "a b", "x" * 65, "-x"])
def test_a_name_that_cannot_be_one_is_refused(called):
    with pytest.raises(SettingsError):
        run("add", "--", called, "/bin/sh")
    assert text() == BEFORE


def test_commands_that_were_written_with_dots_can_have_others_beside_them():
    with open(paths.settings("work"), "w") as file:
        file.write('commands.sh.program = "/bin/sh"  # mine\nnotify = false\n')
    run("add", "cat", "/bin/cat")
    assert set(known()) == {"sh", "cat"}
    assert box_settings.load("work").notify is False
    assert "# mine" in text()


@pytest.mark.parametrize("where", ["itself", "link", "folder", "way"])
def test_a_program_in_the_home_of_a_box_is_refused(where, tmp_path):
    os.makedirs(paths.home("other"))
    program = os.path.join(paths.home("other"), "tool")
    with open(program, "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(program, 0o755)
    if where == "link":
        os.symlink(program, tmp_path / "tool")
        program = str(tmp_path / "tool")
    if where == "folder":
        os.symlink(paths.home("other"), tmp_path / "tools")
        program = str(tmp_path / "tools" / "tool")
    if where == "way":  # through the home, and out of it again
        os.symlink("/bin", os.path.join(paths.home("other"), "bin"))
        os.symlink(os.path.join(paths.home("other"), "bin"), tmp_path / "tools")
        program = str(tmp_path / "tools" / "sh")
    with pytest.raises(UsageError, match="in a box's home"):
        run("add", "tool", program)


def test_a_form_that_cannot_be_split_is_refused():
    with pytest.raises(UsageError, match="cannot be split"):
        run("add", "sh", "/bin/sh", "--arguments", "'open")
    with pytest.raises(SettingsError, match="arguments"):
        run("add", "sh", "/bin/sh", "--arguments", "... more")


def test_the_boxs_folder_needs_a_yes():
    with pytest.raises(UsageError, match="needs a yes"):
        run("add", "sh", "/bin/sh", "--folder", "box", typed="y\n")
    assert text() == BEFORE
    said = run("add", "sh", "/bin/sh", "--folder", "box", "--yes").stderr
    assert FOLDER_WARNING in said
    assert known()["sh"].folder == "box"
    assert FOLDER_WARNING not in run("add", "sh", "/bin/sh", "--folder", "box").stderr  # it is so already


@pytest.mark.parametrize(("typed", "given"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_editing_asks_about_the_boxs_folder_too(tmp_path, monkeypatch, typed, given):
    program = tmp_path / "editor"
    program.write_text(
        '#!/bin/sh\n[ -s "$1" ] && printf \'commands.sh = {program = "/bin/sh", folder = "box"}\\n\' >"$1"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(program))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = CliRunner().invoke(command, ["work", "--edit"], input=typed)
    assert FOLDER_WARNING in done.stderr
    assert ("sh" in known()) is given
    if not given:
        assert isinstance(done.exception, LitterboxError)
        [kept] = [name for name in os.listdir(tmp_path) if name.endswith(".toml")]
        assert 'folder = "box"' in (tmp_path / kept).read_text()
