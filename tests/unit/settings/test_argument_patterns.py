"""Argument patterns, against a slow matcher that tries every way in which a pattern can be laid over an argument."""

import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from litterbox.settings.argument_patterns import has_wildcard, is_valid, matches


@pytest.mark.parametrize(
    ("pattern", "argument"),
    [
        ("/tmp/pub/*", "/tmp/pub/file"),
        ("/tmp/pub/*", "/tmp/pub/.hidden"),
        ("/tmp/pub/*", "/tmp/pub/..."),
        ("/tmp/pub/*", "/tmp/pub/a..b"),
        ("/tmp/*/x", "/tmp/a/x"),
        ("/tmp/pub/**", "/tmp/pub/a/b/c"),
        ("/tmp/pub/**.txt", "/tmp/pub/a/b.txt"),
        ("/tmp/pub/**.txt", "/tmp/pub/b.txt"),
        ("--file=/tmp/pub/*", "--file=/tmp/pub/x"),
        ("--file=**", "--file=/tmp/x"),
        ("../pub/*", "../pub/x"),
        ("./*", "./x"),
        ("../**", "../a/b"),
        ("/a/../b", "/a/../b"),
        ("*", "main..topic"),
        ("*", ""),
        ("*", "a b\nc"),
        ("v?.[0-9]", "v1.3"),
        ("[!ab]x", "cx"),
        ("[]a]", "]"),
        ("[a-]", "a"),
        ("x[a-]", "x-"),
        ("[*]", "*"),
        ("[/]", "[/]"),
        ("a[b", "a[b"),
        ("%2e%2e", "%2e%2e"),
        ("*", "%2e%2e%2fx"),
        ("*", "..\\x"),
        ("\\*", "\\x"),
    ],
)
def test_it_matches(pattern, argument):
    assert matches(pattern, argument)


@pytest.mark.parametrize(
    ("pattern", "argument"),
    [
        ("/tmp/pub/*", "/tmp/pub/../secret.txt"),
        ("/tmp/pub/*", "/tmp/pub/a/b"),
        ("/tmp/pub/*", "/tmp/pub/.."),
        ("/tmp/pub/*", "/tmp/pub/."),
        ("/tmp/pub/*", "/tmp/pub/"),
        ("/tmp/pub/*", "/tmp/pub//"),
        ("/tmp/pub/*", "/tmp/pub/x\n/../y"),
        ("/tmp/pub/??/secret", "/tmp/pub/../secret"),
        ("/tmp/pub/[.][.]/secret", "/tmp/pub/../secret"),
        ("/tmp/pub/.*/secret", "/tmp/pub/../secret"),
        ("/tmp/pub/*./secret", "/tmp/pub/../secret"),
        ("/tmp/pub/..*/secret", "/tmp/pub/../secret"),
        ("/tmp/pub?secret", "/tmp/pub/secret"),
        ("/tmp/pub[!a]secret", "/tmp/pub/secret"),
        ("/tmp/pub[.-0]secret", "/tmp/pub/secret"),
        ("/tmp/*/x", "/tmp//x"),
        ("*/x", "/x"),
        ("/tmp/pub/**", "/tmp/pub/../secret"),
        ("/tmp/pub/**", "/tmp/pub/a/../../secret"),
        ("/tmp/pub/**", "/tmp/pub/a/.."),
        ("/tmp/pub/**", "/tmp/pub/./x"),
        ("/tmp/pub**", "/tmp/pub/../x"),
        ("/tmp/pub/**.", "/tmp/pub/a/."),
        ("/tmp/pub/.**", "/tmp/pub/../x"),
        ("/tmp/pub/**/*", "/tmp/pub/a/.."),
        ("--file=/tmp/pub/*", "--file=/tmp/pub/../x"),
        ("--file=*", "--file=.."),
        ("--file=*", "--file=../x"),
        ("--file=.*", "--file=.."),
        ("--file=**", "--file=../x"),
        ("--file=.**", "--file=../x"),
        ("--file=*/x", "--file=/x"),
        ("--file=*/x", "--file=../x"),
        ("-f*/x", "-f/x"),
        ("-f*", "-f.."),
        ("@*/x", "@/x"),
        ("*", "--output=x"),
        ("**", "--output=x"),
        ("[!a]x", "-x"),
        ("[-]x", "-x"),
        ("?x", "-x"),
        ("[b-a]", "b"),
        ("\\*", "*"),
        ("%2e", "."),
        ("*", "a/b"),
    ],
)
def test_it_does_not_match(pattern, argument):
    assert not matches(pattern, argument)


def test_what_is_a_wildcard():
    assert [word for word in ("a*", "?", "[a]", "[", "a[b/c]", "", "..", "[*") if has_wildcard(word)] == [
        "a*",
        "?",
        "[a]",
        "[*",
    ]


def test_two_that_cross_slashes_are_one_too_many():
    assert [word for word in ("**", "a/**/b", "[**]**", "****", "**a**", "**/**") if is_valid(word)] == [
        "**",
        "a/**/b",
        "[**]**",
        "****",
    ]


@pytest.mark.parametrize(
    "pattern", ["*a*a*a*a*b", "*" + "?" * 20 + "*b", "**a*a*b", "*/" * 20 + "**b", "x**[ab]*[ab]*c"]
)
@pytest.mark.parametrize("unit", ["a", "ab", "a/", "/", "."])
def test_no_argument_takes_long(pattern, unit):
    """With backtracking, each of the first would take hours."""
    start = time.process_time()
    matches(pattern, (unit * 131_072)[:131_071])
    assert time.process_time() - start < 5


def laid_over(tokens, argument):
    """Each way to lay the tokens over the argument: for each of its characters, whether a wildcard stands for it."""
    if not tokens:
        return [[]] if not argument else []
    token, *rest = tokens
    if token in ("*", "**"):
        ways = laid_over(rest, argument)
        if argument and (argument[0] != "/" or token == "**"):
            ways += [[True, *way] for way in laid_over(tokens, argument[1:])]
        return ways
    if not argument:
        return []
    character = argument[0]
    if token == "?" or len(token) > 1:
        fits, is_wild = character != "/" and (token == "?" or character in token[1:-1]), True
    else:
        fits, is_wild = character == token, False
    return [[is_wild, *way] for way in laid_over(rest, argument[1:])] if fits else []


def leads_elsewhere(way, argument):
    """Whether a wildcard stands for some of a name `.` or `..`, or for a slash beside such a name."""
    place = 0
    for name in argument.split("/"):
        around = way[max(0, place - 1) : place + len(name) + 1]
        if name in (".", "..") and any(around):
            return True
        place += len(name) + 1
    return False


TOKENS = st.lists(st.sampled_from(["*", "?", "[.a]", ".", ".", "/", "/", "a", "="]), max_size=7)
ARGUMENTS = st.text(st.sampled_from("../a="), max_size=7)


@given(TOKENS, st.integers(0, 8), st.booleans(), ARGUMENTS)
@example(["/", "*"], 0, False, "/..")
@example(["a", "/", ".", "."], 4, True, "a/..")
def test_it_matches_what_some_way_to_lay_it_over_matches(tokens, place, crosses, argument):
    if crosses:
        tokens = [*tokens[:place], "**", *tokens[place:]]
    pattern = "".join(tokens)
    if "***" in pattern or pattern.count("**") > crosses:
        return  # the tokens of the pattern are others
    ways = [way for way in laid_over(tokens, argument) if not leads_elsewhere(way, argument)]
    if matches(pattern, argument):
        assert ways
    elif ways:
        assert is_refused_for_its_beginning(pattern, argument)


def is_refused_for_its_beginning(pattern, argument):
    """Names in which a wildcard stands for nothing, or for dots to the end of the name, behind a literal beginning."""
    names, parts = argument.split("/"), pattern.split("/")
    beginnings = [
        part[: min(map(part.find, [wild for wild in "*?[" if wild in part]), default=len(part))] for part in parts
    ]
    return any(
        name.startswith(beginning) and name[len(beginning) :] in ("", ".", "..")
        for name in names
        for beginning in beginnings
    )


@given(st.text("ab", max_size=12), st.lists(st.sampled_from(["*", "?", "[ab]", "[!a]", "a", "b"]), max_size=10))
def test_without_slashes_and_dots_it_is_what_a_shell_does(argument, tokens):
    pattern = "".join(tokens).replace("**", "*").replace("**", "*")
    assert matches(pattern, argument) == fnmatchcase(argument, pattern)
