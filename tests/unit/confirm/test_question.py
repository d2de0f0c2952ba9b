"""The text of a dialog: whatever a box puts into it, a person sees what it is."""

import unicodedata

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given

from litterbox.confirm.question import LINE, LONGEST_VALUE, Answer, Approval, Question, text, title, visible

QUESTION = Question(
    box="work", asks="to sign with an SSH key of yours", fields=(("Key", "github"), ("For", "a file")), request=b""
)


def test_a_dialog_names_its_box_and_says_each_field_on_a_line():
    assert title(QUESTION) == "Litterbox: work"
    assert text(QUESTION) == 'The box "work" asks to sign with an SSH key of yours.\n\nKey: github\nFor: a file'


def test_for_this_session_is_offered_where_there_is_something_to_remember():
    assert not QUESTION.offers_session
    assert attrs.evolve(QUESTION, approval=Approval("sign", "a", "b")).offers_session


def test_only_the_three_approvals_approve():
    approving = {answer for answer in Answer if answer.approved}
    assert approving == {Answer.APPROVED_ONCE, Answer.APPROVED_SESSION, Answer.REMEMBERED}


@pytest.mark.parametrize(
    "plain", ["github", "me@host", "<b>&amp;</b>", r"C:\new\table", "Žluťoučký kůň", "東京", "שלום"]
)
def test_plain_text_stays_as_it_is(plain):
    assert visible(plain) == plain


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
        ("\ufdfd", r"\ufdfd"),
        ("\U00012031", r"\U00012031"),
        ("e\u0301\u0302\u0303\u0304", "e\u0301\u0302" + r"\u0303\u0304"),
        ("a\u20dd", r"a\u20dd"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_its_escape(hidden, shown):
    assert visible(hidden) == shown


def test_a_long_value_loses_its_middle():
    shown = visible("begin" + "x" * 10_000 + "end")
    assert shown.startswith("beginxxx")
    assert shown.endswith("xxxend")
    assert "[… 9,848 characters …]" in shown


def test_no_value_passes_for_another_field():
    spoofs = ["x\nFingerprint: SHA256:good", "x" * 59 + " Fingerprint: SHA256:good", "x " * 100]
    for spoof in spoofs:
        lines = text(attrs.evolve(QUESTION, fields=(("Key", spoof),))).replace("\u200e", "").split("\n")[2:]
        assert lines[0].startswith("Key: ")
        assert all(line.startswith("    ") for line in lines[1:])


def test_a_line_in_hebrew_begins_at_the_left():
    *_, line = text(attrs.evolve(QUESTION, fields=(("Key", "שלום"),))).split("\n")
    assert line == "\u200eKey: שלום"


@given(st.text(alphabet=st.characters(), max_size=400))
def test_any_value_becomes_bounded_visible_text(value):
    shown = visible(value)
    assert len(shown) <= 10 * (LONGEST_VALUE + 30)
    for character in shown:
        assert character == " " or unicodedata.category(character)[0] in "LMNPS"
    shown.encode("utf-8")


@given(st.lists(st.tuples(st.just("Key"), st.text(alphabet=st.characters(), max_size=400))))
def test_any_fields_become_short_lines_that_lose_nothing(fields):
    question = attrs.evolve(QUESTION, fields=tuple(fields))
    body = text(question)
    for line in body.split("\n"):
        assert len(line) <= LINE + 1
    for _, value in fields:
        assert visible(value).replace(" ", "") in body.replace("\n", "").replace(" ", "").replace("\u200e", "")
