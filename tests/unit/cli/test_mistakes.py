"""Plausible mistakes at the command line: each is answered with a sentence and an exit status, never a traceback."""

import io
import os
import sys

import pytest

from litterbox import __main__, paths, standard

NO_COMMAND = "No such command"
NO_BOX_NAME = "is not a box name.\n  A name has 1 to 32 characters"
NO_BOX = "litterbox: There is no box nosuch.\n  The boxes are: work.\n"
NO_KEY = "litterbox: There is no key called 'nosuch'.\n  The key store is empty.\n"
NO_NAME = "Missing argument 'NAME'."

MISTAKES = [
    # the command itself
    ("entr work", f"{NO_COMMAND} 'entr'. Did you mean 'enter'?", 2),
    ("exec work ls", f"{NO_COMMAND} 'exec'.", 2),
    ("--verson", "No such option '--verson'", 2),
    ("", "Usage: litterbox", 2),
    # enter, whose own failures are 125, because its command may end with any other status
    ("enter", NO_NAME, 125),
    ("enter Work", NO_BOX_NAME, 125),
    ("enter --rot work", "No such option '--rot'", 125),
    ("enter work --workdir", "Option '--workdir' requires an argument.", 125),
    ("enter work", "Podman is not installed: there is no `podman` on PATH.", 125),
    # boxes
    ("define", NO_NAME, 2),
    ("define new", "Which template? There is no terminal to ask on.\n  --template takes: debian, ubuntu", 2),
    ("define new --template ubunto", "There is no template 'ubunto'.\n  The templates are: debian, ubuntu", 2),
    ("define MyBox --template debian", NO_BOX_NAME, 2),
    ("define new --template debian --image x", "The template local needs an image to build on", 2),
    ("build nosuch", NO_BOX, 1),
    ("build work extra", "Got unexpected extra argument (extra)", 2),
    ("list work", "Got unexpected extra argument (work)", 2),
    ("status nosuch", NO_BOX, 1),
    ("stop ../work", NO_BOX_NAME, 2),
    ("logs nosuch", NO_BOX, 1),
    ("logs work", "The daemon of work has written no log yet.", 1),
    ("approvals nosuch", NO_BOX, 1),
    ("audit", "Say which log: NAME, or --agent.", 2),
    ("audit work --since yesterday", "'yesterday' is not a time.\n  Say how long ago (10m, 2h, 3d, 1w)", 2),
    ("rm", NO_NAME, 2),
    # settings
    ("settings nosuch", NO_BOX, 1),
    ("settings work sett wayland true", f"{NO_COMMAND} 'sett'. Did you mean 'set'?", 2),
    ("settings set wayland true", "The name of the box comes first: litterbox settings NAME set KEY VALUE", 2),
    ("settings work set", "Missing argument 'KEY'.", 2),
    ("settings work set color red", "The settings are: network, wayland, pipewire", 2),
    ("settings work set dialog_timeout soon", "it takes whole seconds from 5 to 3600.", 1),
    ("settings work set wayland yes", "wayland = 'yes' is not allowed; it takes true or false.", 1),
    ("settings work --edit --json", "Show the settings, edit them, or change one: not several at once.", 2),
    ("settings work host-exec add git git", "Name the program with its folder, like /usr/bin/git.", 2),
    ("settings work host-exec add git /no/such", "/no/such is no program that can be run.", 2),
    # keys
    ("keys generat github", f"{NO_COMMAND} 'generat'. Did you mean 'generate'?", 2),
    ("keys generate my/key", "'my/key' is not a key name.\n  A name has 1 to 64 characters", 2),
    ("keys generate github --type dsa", "'dsa' is not one of 'ed25519', 'ecdsa', 'rsa'.", 2),
    ("keys generate github --bits 1024", "Ed25519 keys have one size; leave out --bits.", 2),
    ("keys import github /no/such", "/no/such cannot be read: No such file or directory.", 1),
    ("keys print nosuch", NO_KEY, 1),
    ("keys attach nosuch work", NO_KEY, 1),
    ("keys attach github nosuch", "There is no box nosuch.\n  Define it first: litterbox define nosuch", 1),
    ("keys attach github work --ask never", "Add them: --ask never --host github.com", 2),
    ("keys attach github work --host me@github.com", "Name the host alone, without a user.", 2),
    ("keys change-password", "There is no key store yet.", 1),
    # the agent by itself
    ("agent", "Missing option '--socket'.", 2),
    ("agent --socket agent.sock --timeout 1", "1 is not in the range 5<=x<=3600.", 2),
]


@pytest.fixture(autouse=True)
def box_without_podman(monkeypatch):
    os.makedirs(paths.build_context("work"))
    with open(paths.dockerfile("work"), "w") as file:
        file.write("FROM scratch\n")
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no terminal to ask on
    monkeypatch.setattr(standard, "prepare", lambda: None)  # it would replace the streams that pytest reads


@pytest.mark.parametrize(("line", "sentence", "status"), MISTAKES, ids=[line or "nothing" for line, *_ in MISTAKES])
def test_a_mistake_has_a_sentence_and_a_status(line, sentence, status, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["litterbox", *line.split()])
    assert __main__.main() == status  # any other exception than the expected would come up here
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""
