"""Sharing the tests among several pytest runs: each test is run by one of them, and all of them end together."""

import hashlib
import os
from collections.abc import Iterator
from itertools import groupby

import pytest


class Claims:
    """A pytest plugin that runs only those tests that no other run has claimed.

    `folder` is shared by the runs, and is empty before the first of them starts. A run takes whole files first, so that
    what a file sets up once is set up once; the largest files come first. When every file has been begun, the run helps
    with those that other runs have not finished: it takes their tests from the end. A test that another run has claimed
    counts in no result of this one.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run as pytest's own loop does, but only the tests that this run claims on the way."""
        if session.testsfailed:
            raise session.Interrupted(f"{session.testsfailed} errors during collection")
        items = self._claimed(session.items)
        item = next(items, None)
        while item is not None:
            following = next(items, None)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
            item = following
        return True

    def _claimed(self, items: list[pytest.Item]) -> Iterator[pytest.Item]:
        largest_first = sorted(items, key=lambda item: (-os.path.getsize(item.path), str(item.path)))
        files = [(str(path), list(tests)) for path, tests in groupby(largest_first, key=lambda item: item.path)]
        for path, tests in files:
            if self._claim(path):
                yield from filter(self._claim_test, tests)
        for _path, tests in files:
            yield from filter(self._claim_test, reversed(tests))

    def _claim_test(self, test: pytest.Item) -> bool:
        return self._claim(test.nodeid)

    def _claim(self, name: str) -> bool:
        hashed = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()  # a name can be too long for a file
        try:
            os.close(os.open(os.path.join(self._folder, hashed), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True
