"""Which host command a request means: by its name in the table and nothing else, with arguments that match a form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.capabilities.host_exec import allowed
from litterbox.capabilities.host_exec.allowed import CommandRefused
from litterbox.settings.host_commands import Command

ANY = Command(program="/usr/bin/sha256sum")
GIT = Command(
    program="/usr/bin/git", arguments=(("status",), ("log", "--oneline", "..."), ("show", "*"), ("tag", "v?.[0-9]"))
)
NONE = Command(program="/usr/bin/date", arguments=((),))
TABLE = {"sha256sum": ANY, "git": GIT, "date": NONE}


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("sha256sum", [], ANY),
        ("sha256sum", ["--tag", "", "a b", "\udcff", "*"], ANY),
        ("git", ["status"], GIT),
        ("git", ["log", "--oneline"], GIT),
        ("git", ["log", "--oneline", "-n", "3"], GIT),
        ("git", ["show", "HEAD"], GIT),
        ("git", ["show", "a\nb"], GIT),
        ("git", ["tag", "v1.3"], GIT),
        ("date", [], NONE),
    ],
)
def test_what_is_in_the_table_is_found(name, arguments, command):
    assert allowed.find(TABLE, name, arguments) is command


@pytest.mark.parametrize(
    "arguments",
    [[], ["status", "-s"], ["Status"], ["log"], ["log", "--onelin"], ["show"], ["show", "--output=/etc/passwd"],
     ["show", "-"], ["show", "HEAD", "x"], ["tag", "v1.33"], ["-c", "core.fsmonitor=x", "status"], ["status\n"], [""]],
)  # fmt: skip
def test_other_arguments_are_refused_with_those_that_are_allowed(arguments):
    with pytest.raises(CommandRefused) as caught:
        allowed.find(TABLE, "git", arguments)
    assert "git may not be run with these arguments" in caught.value.sentence
    assert "git status, git log --oneline ..., git show '*'" in caught.value.sentence


def test_no_arguments_means_none():
    with pytest.raises(CommandRefused):
        allowed.find(TABLE, "date", ["-s", "now"])


@pytest.mark.parametrize(
    "name", ["sh", "", "/usr/bin/git", "./git", "../git", "git ", "Git", "git\0", "gi", "\udcff", "git\n", "-git", "*"]
)
def test_another_name_is_refused_and_those_that_may_be_run_are_named(name):
    with pytest.raises(CommandRefused) as caught:
        allowed.find(TABLE, name, ["status"])
    assert caught.value.sentence.endswith("is not a command that the box may run on the host: sha256sum, git, date")
    assert caught.value.sentence.isprintable()


def test_an_empty_table_allows_nothing():
    with pytest.raises(CommandRefused, match="the box may run no command of the host"):
        allowed.find({}, "git", [])


def test_a_long_table_is_told_in_part():
    with pytest.raises(CommandRefused, match=r"c19 and 80 more$"):
        allowed.find({f"c{number}": ANY for number in range(100)}, "git", [])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["x" * allowed.MAX_ARGUMENT_LENGTH], "longer than 131,071 bytes"),
        (["é" * (allowed.MAX_ARGUMENT_LENGTH // 2 + 1)], "longer than 131,071 bytes"),
        (["x" * 1000] * 263, "longer than 262,144 bytes"),
        ([""] * (allowed.MAX_ARGUMENTS_LENGTH + 1), "longer than 262,144 bytes"),
        (["a\0b"], "NUL"),
        (["\ud800"], "not valid text"),
    ],
)
def test_arguments_that_no_program_should_be_given_are_refused(arguments, reason):
    with pytest.raises(CommandRefused, match=reason):
        allowed.find(TABLE, "sha256sum", arguments)


def test_the_longest_arguments_pass():
    one = "x" * (allowed.MAX_ARGUMENT_LENGTH - 1)
    assert allowed.find(TABLE, "sha256sum", [one, one]) is ANY


@given(st.lists(st.text(max_size=5), max_size=4), st.lists(st.text(max_size=5), max_size=4))
def test_a_form_of_plain_words_matches_just_these_words(words, arguments):
    plain = [word for word in words if not set("*?[") & set(word) and word != "..."]
    table = {"git": Command(program="/usr/bin/git", arguments=(tuple(plain),))}
    if "\0" in "".join(arguments):
        return
    try:
        allowed.find(table, "git", arguments)
        matched = True
    except CommandRefused:
        matched = False
    assert matched == (plain == arguments)


def test_a_wildcard_does_not_lead_out_of_its_folder():
    table = {"cat": Command(program="/bin/cat", arguments=(("/tmp/pub/*",), ("--file=/tmp/pub/**",)))}
    assert allowed.find(table, "cat", ["/tmp/pub/x"])
    for argument in ("/tmp/pub/../secret.txt", "--file=/tmp/pub/x/../../secret.txt"):
        with pytest.raises(CommandRefused, match=r"and none for \. or \.\. in a path"):
            allowed.find(table, "cat", [argument])
