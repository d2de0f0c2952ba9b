"""A command replaces the process, so each test has one of its own."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from litterbox_guest import command

BECOME = """
import json, sys
from litterbox_guest import command
error = command.become(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
print(error.sentence)
sys.exit(error.status)
"""


@pytest.fixture
def become():
    def run(*words, path="/usr/bin:/bin"):
        child = [sys.executable, "-c", BECOME, json.dumps(words), json.dumps({"PATH": path})]
        done = subprocess.run(child, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip()

    return run


def script(path: Path, content: str, mode: int = 0o755) -> str:
    path.write_text(content)
    path.chmod(mode)
    return str(path)


def test_a_command_is_found_on_path(become, tmp_path):
    script(tmp_path / "greet", "#!/bin/sh\necho hello $1\n")

    assert become("greet", "you", path=f"/nowhere:{tmp_path}") == (0, "hello you")


def test_a_path_is_not_searched_for(become, tmp_path):
    assert become(script(tmp_path / "greet", "#!/bin/sh\necho hello\n"), path="") == (0, "hello")


def test_an_unknown_command_is_127(become):
    assert become("nosuch") == (127, "nosuch: command not found")


def test_a_path_that_is_not_there_is_127(become):
    assert become("/no/such") == (127, "/no/such: No such file or directory")


def test_a_folder_on_path_is_passed_over(become, tmp_path):
    (tmp_path / "one" / "greet").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    script(tmp_path / "two" / "greet", "#!/bin/sh\necho hello\n")

    assert become("greet", path=f"{tmp_path}/one:{tmp_path}/two") == (0, "hello")


def test_a_folder_by_its_path_is_126(become, tmp_path):
    assert become(str(tmp_path)) == (126, f"{tmp_path}: Is a directory")


def test_what_may_not_be_run_is_126_unless_a_later_one_may(become, tmp_path):
    for folder, mode in (("one", 0o644), ("two", 0o755)):
        (tmp_path / folder).mkdir()
        script(tmp_path / folder / "greet", "#!/bin/sh\necho hello\n", mode)

    assert become("greet", path=f"{tmp_path}/one") == (126, f"{tmp_path}/one/greet: Permission denied")
    assert become("greet", path=f"{tmp_path}/one:{tmp_path}/two") == (0, "hello")


def test_a_script_without_an_interpreter_line_is_the_shells(become, tmp_path):
    assert become(script(tmp_path / "greet", "echo hello $1\n"), "you") == (0, "hello you")


def test_a_binary_of_another_kind_is_not_given_to_the_shell(become, tmp_path):
    assert become(script(tmp_path / "alien", "\x7fELF\0\0\0")) == (126, f"{tmp_path}/alien: Exec format error")


def test_a_missing_interpreter_is_named_as_the_reason(become, tmp_path):
    program = script(tmp_path / "greet", "#!/no/such/interpreter\n")

    assert become(program) == (126, f"{program}: its interpreter or loader does not exist in the box")


@pytest.fixture
def shell(tmp_path):
    return script(tmp_path / "shell", "#!/bin/sh\n")


def test_the_accounts_shell_is_preferred(shell):
    assert command.find_shell(shell, {"SHELL": "/bin/sh"}) == shell


def test_without_it_the_environments_is_taken(shell):
    assert command.find_shell("/usr/bin/gone", {"SHELL": shell}) == shell


def test_without_both_there_is_bash_or_sh():
    assert command.find_shell("", {}) in {"/bin/bash", "/bin/sh"}


def test_a_shell_that_cannot_be_run_is_none(shell):
    os.chmod(shell, stat.S_IRUSR)

    assert command.find_shell(shell, {"SHELL": "not/absolute"}) in {"/bin/bash", "/bin/sh"}
