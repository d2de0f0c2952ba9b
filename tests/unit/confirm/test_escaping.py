"""Whatever a box sends, what a person sees of it is what it is, and not much of it."""

import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given

from litterbox.confirm.escaping import (
    MAX_QUOTED_WIDTH,
    MAX_VALUE_WIDTH,
    columns,
    escape_untrusted,
    is_plain,
    quoted,
    quoted_prefix,
)

ANYTHING = st.text(alphabet=st.characters(), max_size=400)
NOTE = len(" [… 1,114,111 more …] ")  # what stands for a lost middle


@pytest.mark.parametrize(
    "plain", ["github", "me@host", "<b>&amp;</b>", r"C:\new\table", "Žluťoučký kůň", "東京", "שלום", "🐱"]
)
def test_plain_text_stays_as_it_is(plain):
    assert escape_untrusted(plain) == plain


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\nb", r"a\nb"),
        ("a\r\tb", r"a\r\tb"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\0", r"\x00"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066\u2069\u200e\u061c", r"\u2066\u2069\u200e\u061c"),
        ("a\u200bb\u200d\ufeff", r"a\u200bb\u200d\ufeff"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("a\u00a0b\u3000c", r"a\xa0b\u3000c"),
        ("\u00ad\u180e\u2060", r"\xad\u180e\u2060"),
        ("\u3164\u115f\u2800\ufe0f", r"\u3164\u115f\u2800\ufe0f"),
        ("\U000e0041", r"\U000e0041"),
        ("\ue000", r"\ue000"),
        ("\ud800", r"\ud800"),
        ("\ufdfd\u2e3b", r"\ufdfd\u2e3b"),
        ("\U00012031\U0001242b\U0001d800", r"\U00012031\U0001242b\U0001d800"),
        ("\U0001d420it", r"\U0001d420it"),
        ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302" + r"\u0303\u0304"),
        ("a\u20dd", r"a\u20dd"),
        ("\u0301a \u0301\n\u0301", r"\u0301a \u0301\n\u0301"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_escape(hidden, shown):
    assert escape_untrusted(hidden) == shown


def test_a_long_value_loses_its_middle():
    shown = escape_untrusted("begin" + "x" * 10_000 + "end")
    assert shown.startswith("beginxxx")
    assert shown.endswith("xxxend")
    assert "[… 9,848 more …]" in shown


def test_a_value_is_as_long_as_what_is_shown_of_it():
    assert escape_untrusted("\N{RIGHT-TO-LEFT OVERRIDE}" * 30, longest=24) == r"\u202e\u202e [… 26 more …] \u202e\u202e"
    assert escape_untrusted("界" * 30, longest=8) == "界界 [… 26 more …] 界界"


def test_a_value_that_just_fits_is_shown_whole():
    assert escape_untrusted("界" * 80) == "界" * 80
    assert escape_untrusted("x" * MAX_VALUE_WIDTH) == "x" * MAX_VALUE_WIDTH


@given(ANYTHING, st.integers(2, 200))
def test_any_value_becomes_bounded_visible_text(value, longest):
    shown = escape_untrusted(value, longest=longest)
    assert columns(shown) <= longest + NOTE
    for character in shown:
        assert character == " " or unicodedata.category(character)[0] in "LMNPS"
    shown.encode("utf-8")


@given(ANYTHING)
def test_what_is_visible_stays_as_it_is(value):
    shown = escape_untrusted(value)
    assert escape_untrusted(shown, longest=columns(shown)) == shown


def test_what_is_quoted_keeps_its_quotes_to_itself():
    assert quoted("git") == '"git"'
    assert quoted('git" on github.com') == r'"git\" on github.com"'
    assert quoted("git\\") == r'"git\\"'
    assert quoted("a\nb") == r'"a\nb"'


def test_blanks_in_quotes_push_nothing_out_of_sight():
    assert quoted("a  b   c ") == r'"a \x20b \x20\x20c "'
    assert quoted("root" + " " * 2000 + "x") == r'"root \x20\x20\x20\x20 [… 1,990 more …] \x20\x20\x20\x20\x20x"'


@pytest.mark.parametrize("like", "\u201c\u201d\u2033\uff02\u02ba\u275e\u05f4")
def test_what_looks_like_a_quote_is_escaped_in_quotes(like):
    assert quoted(f"a{like}b") == rf'"a\u{ord(like):04x}b"'


@given(ANYTHING, st.integers(10, 200))
def test_a_prefix_fits_in_its_width_and_one_more_character_does_not(value, width):
    prefix = quoted_prefix(value, width)
    assert value.startswith(prefix)
    assert columns(quoted(prefix, longest=10_000)) <= width
    if prefix != value:
        assert columns(quoted(value[: len(prefix) + 1], longest=10_000)) > width


@given(ANYTHING)
def test_what_is_plain_is_shown_as_it_is_in_quotes_too(value):
    if is_plain(value):
        assert quoted(value, longest=400) == f'"{value}"'
        assert escape_untrusted(value, longest=400) == value


@given(st.text(alphabet='"\\ x', max_size=300))
def test_nothing_quoted_ends_before_its_end(value):
    inside = quoted(value).removeprefix('"').removesuffix('"')
    assert '"' not in inside.replace("\\\\", "").replace('\\"', "")
    assert columns(inside) <= MAX_QUOTED_WIDTH + NOTE
