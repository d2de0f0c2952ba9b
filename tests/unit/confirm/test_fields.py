"""A long value in several fields: all of it is there, and each is shown whole."""

from hypothesis import given
from hypothesis import strategies as st

from litterbox.confirm.escaping import MAX_VALUE_WIDTH, columns, quoted
from litterbox.confirm.fields import split_into_fields
from litterbox.confirm.said import Said, is_whole


def test_a_short_value_is_one_field():
    assert split_into_fields("Command", "git status", most=4) == (("Command", (Said("git status"),)),)
    assert split_into_fields("Command", "", most=4) == (("Command", (Said(""),)),)


def test_a_long_one_goes_on():
    fields = split_into_fields("Command", "x" * (MAX_VALUE_WIDTH + 1), most=4)
    assert fields == (("Command", (Said("x" * (MAX_VALUE_WIDTH - 2)),)), ("Command, continued", (Said("xxx"),)))


def test_one_that_is_too_long_is_none():
    assert split_into_fields("Command", "x" * (4 * (MAX_VALUE_WIDTH - 2)), most=4) is not None
    assert split_into_fields("Command", "x" * (4 * (MAX_VALUE_WIDTH - 2) + 1), most=4) is None


@given(st.text(max_size=400))
def test_nothing_is_lost_and_nothing_is_cut(value):
    fields = split_into_fields("Command", value, most=100)
    assert "".join(piece.text for _label, [piece] in fields) == value
    for _label, [piece] in fields:
        assert is_whole((piece,), MAX_VALUE_WIDTH)
        assert columns(quoted(piece.text, longest=10_000)) <= MAX_VALUE_WIDTH
