"""What a shell completes, through click's own machinery, and the scripts that the shells read."""

import os

import pytest
from click.shell_completion import ShellComplete

from litterbox import paths
from litterbox.cli import main


@pytest.fixture(autouse=True)
def boxes_and_key(monkeypatch):
    for box in ("play", "work"):
        os.makedirs(paths.build_context(box))
        with open(paths.dockerfile(box), "w") as file:
            file.write("FROM scratch\n")
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "echo secret")
    assert main.run(["keys", "generate", "github"]) == 0
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "false")  # completion asks for no password


def completions(line: str) -> list[str]:
    *words, incomplete = line.split(" ")
    complete = ShellComplete(main.litterbox, {}, "litterbox", "_LITTERBOX_COMPLETE")
    return [item.value for item in complete.get_completions(words, incomplete)]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("sta", ["status"]),
        ("enter ", ["play", "work"]),
        ("enter w", ["work"]),
        ("rm p", ["play"]),
        ("status ", ["play", "work"]),
        ("keys att", ["attach"]),
        ("keys attach ", ["github"]),
        ("keys attach github ", ["play", "work"]),
        ("keys attach github work --ask ", ["always", "once", "never"]),
        ("keys print g", ["github"]),
        ("agent --key ", ["github"]),
        ("define new --template u", ["ubuntu"]),
        ("settings w", ["work"]),
        ("settings work ", ["host-exec", "set", "unset"]),
        ("settings work set xdg", ["xdg_open", "xdg_open_schemes"]),
        ("completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_names_are_completed(line, names):
    assert completions(line) == names


def test_a_damaged_key_store_completes_nothing():
    with open(paths.key_store(), "w") as file:
        file.write("(")
    assert completions("keys print ") == []


@pytest.mark.parametrize(
    ("shell", "registered"),
    [
        ("bash", "complete -o nosort -F _litterbox_completion litterbox"),
        ("zsh", "#compdef litterbox"),
        ("fish", "complete --no-files --command litterbox"),
    ],
)
def test_the_script_of_a_shell_calls_us(shell, registered, capsys):
    assert main.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert registered in script
    assert f"_LITTERBOX_COMPLETE={shell}_complete" in script
