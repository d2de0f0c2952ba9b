"""Patterns with wildcards: OpenSSH's meaning, and a cost that does not explode."""

import time

import hypothesis.strategies as st
import pytest
from asyncssh.pattern import WildcardPattern
from hypothesis import given, settings

from litterbox.agent.patterns import MAX_NAME, fits, is_pattern, matches


@given(st.text("ab.[]\n", max_size=12), st.text("ab.[]!*?\n", max_size=12))
@settings(max_examples=2000)
def test_it_agrees_with_an_independent_matcher(name, pattern):
    assert fits(name, pattern) is WildcardPattern(pattern).matches(name)


@pytest.mark.parametrize(
    ("name", "pattern", "fit"),
    [
        ("", "", True),
        ("", "*", True),
        ("", "?", False),
        ("a.b", "?.b", True),
        ("aa.b", "?.b", False),
        ("a", "[a]", False),
        ("abcb", "a*b", True),
        ("abc", "a*b", False),
        ("a" * MAX_NAME, "*", True),
        ("a" * (MAX_NAME + 1), "*", False),
        ("a" * (MAX_NAME + 1), "a" * (MAX_NAME + 1), False),
    ],
)
def test_single_patterns(name, pattern, fit):
    assert fits(name, pattern) is fit


@pytest.mark.parametrize(
    ("name", "patterns", "match"),
    [
        ("a", [], False),
        ("A.org", ["a.ORG"], True),
        ("a", ["*", "!a"], False),
        ("a", ["!A", "*"], False),
        ("a", ["!b"], False),
        ("a", ["b", "a"], True),
        ("a" * (MAX_NAME + 1), ["*"], False),
        ("a" * (MAX_NAME + 1), ["a" * (MAX_NAME + 1)], False),
    ],
)
def test_lists(name, patterns, match):
    assert matches(name, patterns) is match


def test_what_is_more_than_a_name():
    assert [is_pattern(host) for host in ("a", "[a]:22", "!a", "a*", "a?")] == [False, False, True, True, True]


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 130 + "b", "*" * 1_000_000 + "b", "?" * 1_000_000, "*?" * 130 + "b", "a" * 1_000_000 + "*"],
)
def test_no_pattern_takes_long(pattern):
    started = time.thread_time()
    assert not fits("a" * MAX_NAME, pattern)
    assert time.thread_time() - started < 1  # seconds; OpenSSH's own way through the first would not end
