"""A long value in several fields: all of it is there, and each is shown whole."""

from hypothesis import given
from hypothesis import strategies as st

from litterbox.confirm.said import Said, is_whole
from litterbox.confirm.spread import spread
from litterbox.confirm.visible import LONGEST_VALUE, columns, quoted


def test_a_short_value_is_one_field():
    assert spread("Command", "git status", most=4) == (("Command", (Said("git status"),)),)
    assert spread("Command", "", most=4) == (("Command", (Said(""),)),)


def test_a_long_one_goes_on():
    fields = spread("Command", "x" * (LONGEST_VALUE + 1), most=4)
    assert fields == (("Command", (Said("x" * (LONGEST_VALUE - 2)),)), ("Command, continued", (Said("xxx"),)))


def test_one_that_is_too_long_is_none():
    assert spread("Command", "x" * (4 * (LONGEST_VALUE - 2)), most=4) is not None
    assert spread("Command", "x" * (4 * (LONGEST_VALUE - 2) + 1), most=4) is None


@given(st.text(max_size=400))
def test_nothing_is_lost_and_nothing_is_cut(value):
    fields = spread("Command", value, most=100)
    assert "".join(piece.text for _label, [piece] in fields) == value
    for _label, [piece] in fields:
        assert is_whole((piece,), LONGEST_VALUE)
        assert columns(quoted(piece.text, longest=10_000)) <= LONGEST_VALUE
