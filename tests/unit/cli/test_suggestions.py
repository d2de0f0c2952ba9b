"""A command that does not exist suggests one that does; `ls` and `rm` are aliases."""

import subprocess
import sys

import pytest

from litterbox.cli import main


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["entr", "work"], "No such command 'entr'. Did you mean 'enter'?"),
        (["biuld", "work"], "Did you mean 'build'?"),
        (["keys", "generat", "mine"], "No such command 'generat'. Did you mean 'generate'?"),
        (["keys", "export-all"], "No such command 'export-all'."),
        (["qqq"], "No such command 'qqq'.\n"),
    ],
)
def test_an_unknown_command_suggests_the_most_similar_one(words, sentence, capsys):
    assert main.run(words) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("alias", "command"),
    [
        (["ls"], ["list"]),
        (["rm"], ["delete"]),
        (["keys", "ls"], ["keys", "list"]),
        (["keys", "rm"], ["keys", "delete"]),
    ],
)
def test_an_alias_is_the_command(alias, command, capsys):
    assert main.run([*alias, "--help"]) == 0
    of_alias = capsys.readouterr().out
    assert main.run([*command, "--help"]) == 0
    # Only the usage line may differ, which shows the words as they were typed.
    assert of_alias.partition("\n\n")[2] == capsys.readouterr().out.partition("\n\n")[2]


def test_the_alias_ls_starts_without_click_as_list_does():
    words = [sys.executable, "-X", "importtime", "-m", "litterbox", "ls"]
    imported = subprocess.run(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False).stderr
    assert "litterbox.cli.listing" in imported
    assert "click" not in imported
    assert "difflib" not in imported
