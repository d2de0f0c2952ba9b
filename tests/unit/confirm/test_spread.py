"""A long value in several fields: all of it is there, and each is shown whole."""

from hypothesis import given
from hypothesis import strategies as st

from litterbox.confirm.spread import spread
from litterbox.confirm.visible import LONGEST_VALUE, columns, visible


def test_a_short_value_is_one_field():
    assert spread("Command", "git status", most=4) == (("Command", "git status"),)
    assert spread("Command", "", most=4) == (("Command", ""),)


def test_a_long_one_goes_on():
    fields = spread("Command", "x" * (LONGEST_VALUE + 1), most=4)
    assert fields == (("Command", "x" * LONGEST_VALUE), ("Command, continued", "x"))


def test_one_that_is_too_long_is_none():
    assert spread("Command", "x" * (4 * LONGEST_VALUE), most=4) is not None
    assert spread("Command", "x" * (4 * LONGEST_VALUE + 1), most=4) is None


@given(st.text(max_size=400))
def test_nothing_is_lost_and_nothing_is_cut(value):
    fields = spread("Command", value, most=100)
    assert "".join(piece for _label, piece in fields) == value
    for _label, piece in fields:
        assert "characters …]" not in visible(piece) or "characters …]" in piece
        assert columns(visible(piece)) <= LONGEST_VALUE
