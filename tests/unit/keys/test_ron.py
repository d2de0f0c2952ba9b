"""RON text: what is read, what is written, and where an error is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.keys import ron
from litterbox.keys.ron import Named, RonError, Struct, Value

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
FREE_NAMES = NAMES.filter(lambda name: name not in {"true", "false", "None", "inf", "NaN"})
SCALARS = st.booleans() | st.integers(-(2**127), 2**128) | st.floats(allow_nan=False) | st.text(max_size=12)


def containers(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    structs = st.dictionaries(NAMES, values, min_size=1, max_size=3).map(Struct)
    tuples = st.lists(values, max_size=3).map(tuple)
    return (
        st.lists(values, max_size=3)
        | tuples
        | structs
        | st.dictionaries(SCALARS, values, max_size=3)
        | st.builds(Named, FREE_NAMES, st.none() | tuples | structs)
    )


VALUES: st.SearchStrategy[Value] = st.recursive(st.none() | SCALARS, containers, max_leaves=12)


@given(VALUES)
def test_what_was_written_reads_the_same(value: Value) -> None:
    assert ron.loads(ron.dumps(value)) == value


@given(st.text(alphabet="()[]{},:\"'\\rR#!/*-+._0123456789abcdefxuinfNaNSome \n\té", max_size=60))
def test_any_text_is_read_or_refused_with_a_place_inside_it(text: str) -> None:
    place = _place_of_error(text)

    if place:
        line, column = place
        lines = text.split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


def _place_of_error(text: str) -> tuple[int, int] | None:
    try:
        ron.loads(text)
    except RonError as error:
        return error.line, error.column
    return None


@pytest.mark.parametrize("text", ["0e", "1e+", "-", ".", "--1"])
def test_half_a_number_is_refused(text: str) -> None:
    with pytest.raises(RonError):
        ron.loads(text)


@given(VALUES, st.data())
def test_a_document_cut_short_is_refused_or_reads_as_itself(value: Value, data: st.DataObject) -> None:
    text = ron.dumps([value])
    cut = data.draw(st.integers(0, len(text) - 2))

    with pytest.raises(RonError):
        ron.loads(text[:cut])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("()", ()),
        ("None", None),
        ("Some(3)", Named("Some", (3,))),
        ("Unit", Named("Unit")),
        ("Point(x: 1, y: 2)", Named("Point", Struct(x=1, y=2))),
        ("Pair(1, 2,)", Named("Pair", (1, 2))),
        ('(a: 1, b: "x",)', Struct(a=1, b="x")),
        ("(1,)", (1,)),
        ("[1, 2, 3,]", [1, 2, 3]),
        ('{"a": 1, 2: [],}', {"a": 1, 2: []}),
        ("0xFF", 255),
        ("-0b1_0", -2),
        ("0o17u8", 15),
        ("1_000_000i64", 1_000_000),
        ("+5", 5),
        ("-2.5e-3", -0.0025),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("2f32", 2.0),
        ("-inf", -math.inf),
        ("'x'", "x"),
        ("'\\''", "'"),
        (r'"\n\t\r\0\\\"\x41\u{1F600}"', '\n\t\r\0\\"A\N{GRINNING FACE}'),
        ('"two\nlines"', "two\nlines"),
        (r'r"no \escapes"', r"no \escapes"),
        ('r##"a "# quote"##', 'a "# quote'),
        ("(r#type: 1)", Struct(type=1)),
        ("#![enable(implicit_some, unwrap_newtypes)]\n#![enable(x)]\n1", 1),
        ("// line\n/* block /* nested */ // */ 1 // end", 1),
        ("( // c\n a /* c */ : 1 /* c */ , )", Struct(a=1)),
    ],
)
def test_the_grammar_is_rons(text: str, value: Value) -> None:
    assert ron.loads(text) == value


def test_nan_is_a_float() -> None:
    read = ron.loads(ron.dumps(math.nan))

    assert isinstance(read, float)
    assert math.isnan(read)


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "the text ends where a value should be"),
        ("(\n  a: 1\n  b: 2\n)", 3, 3, "expected ',' or ')'"),
        ("(\n  a: 1,\n  a: 2\n)", 3, 3, "the field a comes twice"),
        ("{1: 2, 1: 3}", 1, 8, "a key of the map comes twice"),
        ("[1, 2", 1, 6, "the text ends inside the '[' of line 1, column 1"),
        ('[1, "x\n', 1, 5, "the string never ends"),
        ('r#"x"', 1, 1, "the raw string never ends"),
        ("[1] /* x", 1, 5, "the comment never ends"),
        ("[1] 2", 1, 5, "more text after the end of the document"),
        (r'"\q"', 1, 2, "expected an escape that RON knows"),
        (r'"\u{d800}"', 1, 2, "the escape is no character of Unicode"),
        ("'ab'", 1, 1, "a character literal holds one character"),
        ("''", 1, 1, "a character is missing"),
        ("12ab", 1, 1, "expected a number"),
        ("9" * 200, 1, 1, "the number is too long"),
        ("{[]: 1}", 1, 2, "a map's key must be a string, a number, a character or a truth value"),
        ("(a: )", 1, 5, "expected a value"),
        ("[" * 80, 1, 66, "values nested more than 64 deep"),
        ("#![allow(x)] 1", 1, 1, "expected an attribute like #![enable(name)]"),
    ],
)
def test_an_error_says_what_and_where(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(RonError) as refusal:
        ron.loads(text)

    assert (refusal.value.line, refusal.value.column, refusal.value.reason) == (line, column, reason)


def test_deep_nesting_of_named_values_is_refused_too() -> None:
    with pytest.raises(RonError, match="nested"):
        ron.loads("Some(" * 10_000)


def test_a_path_is_found_in_the_text() -> None:
    text = '(\n    keys: [\n        (name: "a"),\n        (name: "b"),\n    ],\n)'

    assert ron.locate(text, ("keys", 1, "name")) == (4, 16)
    assert ron.locate(text, ("keys", 1, "missing")) == (4, 9)
    assert ron.locate(text, ()) == (1, 1)


def test_pretty_output_is_stable() -> None:
    value = Struct(version=3, keys=[Struct(name='a"b\n', hosts=["x", "y"], none=[])])

    assert ron.dumps(value) == (
        '(\n    version: 3,\n    keys: [\n        (\n            name: "a\\"b\\u{a}",\n'
        '            hosts: ["x", "y"],\n            none: [],\n        ),\n    ],\n)\n'
    )
