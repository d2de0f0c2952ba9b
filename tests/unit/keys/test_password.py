"""Passwords from a command; those from a terminal are in tests/integration."""

import os
import sys
import termios

import pytest

from litterbox.errors import PasswordError, WrongPassword
from litterbox.keys import access, password, terminal
from litterbox.keys.password import STORE


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch):
    return lambda text: monkeypatch.setenv(STORE.variable, text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("echo hunter2", b"hunter2"),
        ("printf '%s' 'no newline'", b"no newline"),
        (r"printf 'two\n\n'", b"two\n"),
        (r"printf '  spaces stay \n'", b"  spaces stay "),
        (r"printf '\377\n'", b"\xff"),
        ("echo '$HOME; echo x'", b"$HOME; echo x"),
    ],
)
def test_a_commands_output_less_one_newline_is_the_password(command, text: str, answer: bytes) -> None:
    command(text)

    assert password.existing(STORE, lambda given: given) == answer
    assert password.new(STORE) == answer


def test_the_command_does_not_read_our_standard_input(command) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"the key file\n")
    os.close(writing)
    before = os.dup(0)
    os.dup2(reading, 0)
    try:
        command("sh -c 'cat; echo done'")
        assert password.existing(STORE, lambda given: given) == b"done"
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reading)


def test_a_command_gets_one_try(command) -> None:
    tries = []

    def refuse(given: bytes) -> None:
        tries.append(given)
        raise WrongPassword("no")

    command("echo wrong")
    with pytest.raises(WrongPassword):
        password.existing(STORE, refuse)

    assert tries == [b"wrong"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("false hunter2", "failed (status 1), so there is no key store password"),
        ("sh -c 'kill -9 $$' hunter2", "failed (signal 9)"),
        ("/nonexistent/program hunter2", "cannot be run: No such file or directory"),
        ("/etc/passwd hunter2", "cannot be run: Permission denied"),
        ("echo 'hunter2", "is not a command: check its quotes"),
        (" ", "is not a command"),
    ],
)
def test_a_command_that_fails_is_told_without_its_arguments(command, text: str, sentence: str) -> None:
    command(text)

    with pytest.raises(PasswordError) as refusal:
        password.existing(STORE, lambda given: given)

    assert sentence in refusal.value.sentence
    assert STORE.variable in refusal.value.sentence
    assert "hunter2" not in repr(refusal.value)


def test_a_new_password_is_not_empty(command) -> None:
    command("true")

    with pytest.raises(PasswordError, match="printed nothing"):
        password.new(STORE)


def test_the_password_reaches_no_environment_and_no_argument(command) -> None:
    command(f"{sys.executable} -c 'print(chr(115) * 3)'")

    assert password.existing(STORE, lambda given: given) == b"sss"
    assert "sss" not in " ".join(os.environ.values())


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), termios.error(5, "Input/output error")])
def test_a_terminal_that_is_gone_is_told(monkeypatch, error) -> None:
    monkeypatch.delenv("LITTERBOX_PASSWORD_COMMAND", raising=False)
    monkeypatch.setattr(terminal, "open_terminal", lambda: os.open("/dev/null", os.O_RDWR))

    def ask(_terminal: int, _prompt: str) -> bytes:
        raise error

    monkeypatch.setattr(terminal, "ask", ask)
    with pytest.raises(PasswordError, match="The terminal is gone"):
        password.existing(STORE, lambda given: given)


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        ("echo hunter2 | head -1", True),
        ("echo hunter2; true", True),
        ("echo hunter2 && true", True),
        ("echo hunter2 >/dev/null", True),
        ("echo $HOME/hunter2", True),
        ("echo `hunter2`", True),
        ("echo hunter2*", True),
        ("sh -c 'echo hunter2 | head -1'", False),
        ('sh -c "echo \\"hunter2\\" | head -1"', False),
        (r"echo hunter2\;", False),
        ("echo hunter2", False),
    ],
)
def test_a_shells_characters_outside_of_quotes_are_warned_of(command, text: str, warns: bool, capfd) -> None:
    command(text)
    password.existing(STORE, lambda given: given)
    told = capfd.readouterr().err
    assert ("LITTERBOX_PASSWORD_COMMAND has characters that are special in a shell" in told) is warns
    assert "hunter2" not in told


@pytest.fixture
def typed(monkeypatch):
    """A terminal at which these words are typed; gives the prompts that it showed."""
    monkeypatch.delenv(STORE.variable, raising=False)
    monkeypatch.setattr(terminal, "open_terminal", lambda: os.open("/dev/null", os.O_RDWR))

    def types(*words: bytes) -> list[str]:
        waiting = list(words)
        prompts: list[str] = []

        def ask(_terminal: int, prompt: str) -> bytes:
            prompts.append(prompt)
            return waiting.pop(0)

        monkeypatch.setattr(terminal, "ask", ask)
        return prompts

    return types


def test_two_passwords_that_differ_are_asked_for_again(typed) -> None:
    prompts = typed(b"one", b"two", b"three", b"three")
    assert password.new(STORE) == b"three"
    assert prompts[2] == "The two are not the same. Key store password: "


def test_the_third_difference_is_the_last(typed) -> None:
    typed(b"1", b"2", b"3", b"4", b"5", b"6")
    with pytest.raises(PasswordError, match="The two are not the same"):
        password.new(STORE)


def test_the_first_prompt_says_that_the_password_makes_a_new_store(typed) -> None:
    prompts = typed(b"one", b"one")
    access.unlock(access.load())
    assert prompts == [
        "There is no key store yet. Choose a password for a new one. Key store password: ",
        "The same again: ",
    ]
