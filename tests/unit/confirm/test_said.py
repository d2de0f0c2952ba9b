"""Sentences of ours with texts of a box in them: who says what, and what gives way where there is no room."""

import hypothesis.strategies as st
from hypothesis import given
from support.hostile import check

from litterbox.confirm.escaping import columns, escape_untrusted, quoted
from litterbox.confirm.said import Known, Said, is_whole, joined, logged, rendered

TEXT = st.text(max_size=200)
PART = st.one_of(st.sampled_from(["log in as ", " on "]), st.builds(Said, TEXT), st.builds(Known, TEXT))
SENTENCE = st.lists(PART, min_size=1, max_size=5).map(tuple)


def test_what_is_said_is_quoted_and_what_is_known_is_not():
    assert rendered(("log in as ", Said("git"), " on ", Known("github.com"))) == 'log in as "git" on github.com'
    assert rendered("a name") == "a name"
    assert rendered((Said(""),)) == '""'


def test_a_long_text_gives_way_and_a_short_one_stays():
    shown = rendered(("log in as ", Said("x" * 1000), " on ", Said("short")), 100)
    assert shown.startswith('log in as "xxx')
    assert shown.endswith('xxx" on "short"')
    assert columns(shown) <= 100


@given(SENTENCE)
def test_where_there_is_room_everything_is_whole(parts):
    whole = "".join(
        part
        if isinstance(part, str)
        else quoted(part.text, longest=10_000)
        if isinstance(part, Said)
        else escape_untrusted(part.text, longest=10_000)
        for part in parts
    )
    assert rendered(parts, 10_000) == whole
    assert is_whole(parts, 10_000)


@given(SENTENCE, st.integers(20, 300))
def test_whatever_the_room_our_words_are_there_and_the_quotes_are_closed(parts, longest):
    shown = rendered(parts, longest)
    ours = [part for part in parts if isinstance(part, str)]
    at = 0
    for words in ours:
        at = shown.index(words, at) + len(words)
    if not any(isinstance(part, Known) for part in parts):
        check(shown.replace("  ", " "), lie="\0")
    if is_whole(parts, longest):
        assert shown == rendered(parts, 100_000)


@given(st.lists(st.builds(Said, TEXT), min_size=1, max_size=3))
def test_the_log_never_has_to_cut_a_sentence(texts):
    words = joined([(Said(said.text * 100),) for said in texts], " or ")
    assert len(logged(words)) < 1000
