"""Sharing the test files among several pytest runs: whoever comes to a file first, runs it."""

import os
from collections.abc import Iterator
from itertools import groupby

import pytest


class Claims:
    """A pytest plugin that runs only those test files that no other run has claimed.

    `folder` is shared by the runs, and empty before the first of them starts. Large files come first, so that no run
    is left with a long one at the end. A file that another run has claimed counts in no result of this one.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """As pytest's own loop, but over the files that are claimed on the way."""
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
        for path, of_file in groupby(largest_first, key=lambda item: str(item.path)):
            if self._claim(path):
                yield from of_file

    def _claim(self, path: str) -> bool:
        try:
            os.close(os.open(os.path.join(self._folder, path.replace("/", "%")), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True
