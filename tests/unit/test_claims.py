"""Several runs of pytest share the tests: each test is run once, and nobody waits while there is something to do."""

import itertools
from pathlib import Path

import attrs
import pytest
from support.claims import Claims


@attrs.frozen
class Item:
    path: Path
    nodeid: str


@pytest.fixture
def tests(tmp_path):
    """Ten tests in a large file, three in a small one."""
    items = []
    for name, size, count in (("small", 10, 3), ("large", 1000, 10)):
        path = tmp_path / name
        path.write_text("x" * size)
        items += [Item(path, f"{name}::{number}") for number in range(count)]
    return items


@pytest.fixture
def run(tmp_path, tests):
    """Start a run: an iterator over what it claims."""
    (tmp_path / "claims").mkdir()
    return lambda: Claims(str(tmp_path / "claims"))._claimed(tests)


def names(items):
    return [item.nodeid for item in items]


def test_one_run_takes_everything_the_largest_file_first(run, tests):
    assert names(run()) == names(tests[3:] + tests[:3])


def test_each_test_is_claimed_by_one_run(run, tests):
    first, second = run(), run()
    claimed = []
    for turn in itertools.zip_longest(first, second):
        claimed += names(filter(None, turn))
    assert sorted(claimed) == sorted(names(tests))


def test_a_run_without_a_file_of_its_own_helps_from_the_end_of_another(run):
    first, second = run(), run()
    assert next(first).nodeid == "large::0"
    assert names(second)[:4] == ["small::0", "small::1", "small::2", "large::9"]
    assert names(first) == []


def test_a_test_whose_name_is_long_or_no_text_is_claimed_too(tmp_path):
    item = Item(tmp_path, "x\udcff/" * 1000)
    assert names(Claims(str(tmp_path))._claimed([item])) == [item.nodeid]
    assert names(Claims(str(tmp_path))._claimed([item])) == []
