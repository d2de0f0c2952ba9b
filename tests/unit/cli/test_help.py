"""Every command's help has an example that could be typed, and that of `settings` lists every key."""

import shlex
from collections.abc import Iterator

import attrs
import click
import pytest

from litterbox.cli import main
from litterbox.settings.box_settings import _ALLOWED, Settings


def commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all commands below it, each with the words that call it."""
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*words, *(["work"] if words[-1] == "settings" else []), name))


ALL = list(commands(main.litterbox, ("litterbox",)))


def help_of(command: click.Command, words: tuple[str, ...]) -> str:
    return command.get_help(click.Context(command, info_name=" ".join(words)))


def examples(command: click.Command, words: tuple[str, ...]) -> list[list[str]]:
    lines = help_of(command, words).partition("Example")[2].splitlines()[1:]
    return [shlex.split(line) for line in lines]


def test_all_commands_are_walked():
    names = {" ".join(words) for words, _command in ALL}
    assert {"litterbox enter", "litterbox keys attach", "litterbox settings work host-exec add"} <= names


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _command in ALL])
def test_every_help_has_an_example_of_the_command_itself(words, command):
    shown = examples(command, words)
    assert shown
    for line in shown:
        assert tuple(line[: len(words)]) == words
        rest = line[len(words) :]
        called = command
        if isinstance(command, click.Group):
            if words[-1] == "settings":
                del rest[0]
            if not rest:
                continue
            found = command.get_command(click.Context(command), rest.pop(0))
            assert found is not None
            called = found
        if not isinstance(called, click.Group):
            called.make_context(called.name, rest)  # raises click.UsageError where it could not be typed


def test_the_help_of_settings_lists_every_key_with_values_and_default(capsys):
    assert main.run(["settings", "--help"]) == 0
    shown = capsys.readouterr().out
    for key in attrs.fields_dict(Settings):
        if key != "commands":
            assert f"  {key} (default: " in shown
            assert _ALLOWED[key] in shown
    assert "dialog_timeout (default: 60)\n" in shown
    assert 'clipboard (default: "confirm")\n' in shown
