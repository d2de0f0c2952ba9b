"""The session watcher looks at the lock anew even where no change of it is reported."""

import errno
import math

import pyinotify
import pytest
import trio

from litterbox.daemon.sessions import LOOK_INTERVAL, SWEEP_INTERVAL, SessionWatcher


class EmptyLock:
    """A session lock that no session is in; it keeps the time of each look at it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.looks: list[float] = []

    def listed(self):
        self.looks.append(trio.current_time())
        return []


@pytest.fixture
def lock(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    return EmptyLock(str(path))


async def watch(lock, seconds):
    start = trio.current_time()
    with trio.move_on_after(seconds):
        await SessionWatcher(lock, seen_any=False).run(task_status=trio.TASK_STATUS_IGNORED)
    return [look - start for look in lock.looks]


async def test_the_lock_is_swept_at_each_interval_without_any_change(lock, autojump_clock):
    assert await watch(lock, 2.5 * SWEEP_INTERVAL) == pytest.approx([0, SWEEP_INTERVAL, 2 * SWEEP_INTERVAL])


async def test_without_inotify_the_lock_is_looked_at_in_short_intervals(lock, autojump_clock, monkeypatch):
    def refuse():
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(pyinotify, "WatchManager", refuse)
    looks = await watch(lock, 3.5 * LOOK_INTERVAL)
    assert [math.floor(look + 0.01) for look in looks] == [0, 1, 2, 3]
