"""The text of a dialog: every field on lines of its own, all labels there, and never more than a screen holds."""

import re

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import given

from litterbox.confirm.escaping import columns, escape_untrusted
from litterbox.confirm.question import (
    LINE,
    MAX_FIELDS,
    MAX_LINES,
    TOO_SOON,
    Answer,
    Approval,
    Question,
    shows_all,
    text,
    title,
)
from litterbox.confirm.said import Said

QUESTION = Question(
    box="work", action="sign with an SSH key of yours", fields=(("Key", "github"), ("For", "a file")), request=b""
)
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
FINGERPRINT = ("Fingerprint", "SHA256:tHbaQpyH/YGLbINUVfLrZRf4FUy0MsPBheaJt98+ShQ")

# With few letters, so that values are long, wide, unbreakable or all breaks more often than they would by chance.
VALUE = st.one_of(st.text(max_size=400), st.text(alphabet="W \u202e界\n", min_size=300, max_size=400))
FIELD = st.tuples(st.sampled_from(["Key", "For", "If the passphrase is right"]), VALUE)


def lines_of(question: Question) -> list[str]:
    return text(question).replace(LEFT_TO_RIGHT, "").split("\n")


def unbroken(text: str) -> str:
    """Without spaces and breaks: a line is broken at a space, or within a word that is longer than it."""
    return text.replace("\n", "").replace(" ", "").replace(LEFT_TO_RIGHT, "")


def test_a_dialog_names_its_box_and_says_each_field_on_a_line():
    assert title(QUESTION) == "Litterbox: work: sign with an SSH key of yours?"
    assert title(attrs.evolve(QUESTION, waiting=5)).endswith(" yours? (1 of 6)")
    assert text(QUESTION) == "work: sign with an SSH key of yours?\n\nKey: github\nFor: a file"


def test_a_program_of_the_host_is_called_one():
    question = attrs.evolve(QUESTION, box=None)
    assert title(question).startswith("Litterbox agent: ")
    assert lines_of(question)[0] == "A program on this computer: sign with an SSH key of yours?"


def test_claims_stand_apart_from_what_litterbox_vouches_for():
    question = attrs.evolve(QUESTION, claims=(("Program", 'says it is "ssh"'),))
    assert lines_of(question)[-3:] == ["For: a file", "", 'Program: says it is "ssh"']


def test_claims_do_not_tell_questions_apart():
    assert attrs.evolve(QUESTION, claims=(("Program", "a"),)) == attrs.evolve(QUESTION, claims=(("Program", "b"),))
    assert attrs.evolve(QUESTION, fields=()) != QUESTION


def test_for_this_session_is_offered_where_there_is_something_to_remember():
    assert not QUESTION.approval
    assert attrs.evolve(QUESTION, approval=Approval("sign", "a", "b")).approval


def test_nothing_is_asked_once_and_for_all_without_something_to_remember():
    with pytest.raises(ValueError, match="approval"):
        attrs.evolve(QUESTION, once=True)


def test_a_question_with_more_fields_than_a_window_holds_cannot_be_made():
    field = ("Key", "x")
    assert attrs.evolve(QUESTION, fields=(field,) * (MAX_FIELDS - 1), claims=(field,))
    with pytest.raises(ValueError, match="at most 8 fields"):
        attrs.evolve(QUESTION, fields=(field,) * MAX_FIELDS, claims=(field,))


def test_only_the_approvals_approve():
    approving = {answer for answer in Answer if answer.approved}
    assert approving == {Answer.APPROVED_ONCE, Answer.APPROVED_SESSION, Answer.REMEMBERED, Answer.ALLOWED}


def test_no_value_passes_for_another_field():
    spoofs = ["x\nFingerprint: SHA256:good", "x" * 59 + " Fingerprint: SHA256:good", "x " * 100]
    for spoof in spoofs:
        fields = lines_of(attrs.evolve(QUESTION, fields=(("Key", spoof),)))[2:]
        assert fields[0].startswith("Key: ")
        assert all(line.startswith("    ") for line in fields[1:])


def test_no_line_begins_in_the_middle_of_an_escape():
    for length in range(60):
        value = "x" * length + '" on alpha.test' + "\n\u202e" * 20
        lines = lines_of(attrs.evolve(QUESTION, fields=(("Key", (Said(value),)),)))
        for line in lines[2:]:
            escapes = line.replace("\\\\", "").count("\\")
            assert escapes == len(re.findall(r'\\(?:"|n|u[0-9a-f]{4})', line.replace("\\\\", "")))


def test_our_own_words_are_never_cut_and_what_is_said_is():
    said = Said("界" * 10_000)
    question = attrs.evolve(QUESTION, fields=(("For", ("log in as ", said, " on a server called ", said)),) * 6)
    shown = " ".join(line.strip() for line in lines_of(question))
    assert shown.count("log in as") == shown.count("on a server called") == 6
    assert shown.count("more …]") == 12


def test_a_question_whose_own_words_leave_no_room_cannot_be_shown():
    with pytest.raises(ValueError, match="own words"):
        text(attrs.evolve(QUESTION, fields=(("For", ("word " * 1000,)),)))


def test_a_text_from_right_to_left_moves_nothing_around_it():
    question = attrs.evolve(QUESTION, fields=(("For", ("log in as ", Said("שלום"), " 12")),))
    assert f'as {LEFT_TO_RIGHT}"שלום"{LEFT_TO_RIGHT} 12' in text(question)


def test_a_line_in_hebrew_begins_at_the_left():
    *_, line = text(attrs.evolve(QUESTION, fields=(("Key", "שלום"),))).split("\n")
    assert line == f"{LEFT_TO_RIGHT}Key: שלום"


def test_ordinary_fields_lose_nothing_beside_hostile_ones():
    ordinary = (("Key", "k" * 64), FINGERPRINT, ("For", 'log in as "git" on github.com'))
    hostile = (("Forwarded", "through " + "W" * 10_000), ("Where", "\u202e" * 10_000))
    whole = text(attrs.evolve(QUESTION, fields=(*ordinary, *hostile), claims=(("Program", "界" * 10_000),)))
    for _label, value in ordinary:
        assert unbroken(value) in unbroken(whole)


def test_a_claim_gives_way_before_what_litterbox_vouches_for():
    long = " ".join(["word"] * 30)
    question = attrs.evolve(QUESTION, fields=(("For", long),) * 4, claims=(("Program", long),) * 3)
    whole = " ".join(line.strip() for line in lines_of(question))
    assert whole.count(f"For: {long}") == 4
    assert whole.count("Program: word") == whole.count("more …]") == 3


@given(VALUE, st.lists(FIELD, max_size=MAX_FIELDS), st.integers(0, MAX_FIELDS))
def test_any_fields_become_few_short_lines_with_every_label(asks, fields, claims):
    fields.append(FINGERPRINT)
    fields = fields[-MAX_FIELDS:]
    question = Question(
        box="b" * 32, action=asks, fields=tuple(fields[claims:]), claims=tuple(fields[:claims]), request=b""
    )
    shown = lines_of(question)
    assert len(shown) <= MAX_LINES
    assert all(columns(line) <= LINE for line in shown)
    labels = [line.split(":")[0] for line in shown if line and not line.startswith("    ")]
    assert labels[1:] == [label for label, _ in question.fields + question.claims]
    assert claims or ": ".join(FINGERPRINT) in shown


@given(st.lists(FIELD, max_size=3))
def test_few_fields_lose_nothing_but_their_own_middles(fields):
    body = text(attrs.evolve(QUESTION, fields=tuple(fields)))
    for _, value in fields:
        assert unbroken(escape_untrusted(value)) in unbroken(body)


@given(st.lists(FIELD, max_size=MAX_FIELDS))
def test_what_is_said_to_be_shown_whole_is(fields):
    question = attrs.evolve(QUESTION, fields=tuple(fields))
    shown = unbroken(text(question))
    if shows_all(question):
        for _label, value in fields:
            assert unbroken(escape_untrusted(value, longest=10_000)) in shown


def test_what_is_said_to_be_shown_whole_is_whole_when_it_is_shown_again():
    whole = 0
    for width in range(40, 161, 10):
        for count in range(1, MAX_FIELDS + 1):
            question = attrs.evolve(QUESTION, fields=(("Command", "x" * width),) * count)
            if shows_all(question):
                whole += 1
                assert "more …]" not in text(question, TOO_SOON)
    assert whole


def test_what_loses_its_middle_is_not_shown_whole():
    assert shows_all(QUESTION)
    assert not shows_all(attrs.evolve(QUESTION, fields=(("Key", "x" * 161),)))
    many = tuple(("Command", "x" * 160) for _ in range(MAX_FIELDS))
    assert "more …" in text(attrs.evolve(QUESTION, fields=many))
    assert not shows_all(attrs.evolve(QUESTION, fields=many))
