"""Real inotify on real files; only its absence is made up."""

import pyinotify
import pytest
import trio
from trio.testing import MockClock

from litterbox_guest import changes
from litterbox_guest.changes import ChangeFlag


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    return path


@pytest.fixture
async def flag(file, nursery):
    """The watched file's flag, its first beat behind us."""
    flag = ChangeFlag()
    nursery.start_soon(changes.watch, {str(file): flag})
    await flag.wait()
    return flag


def rewrite(file, content):
    """In place, as the host rewrites the session lock."""
    with open(file, "r+b") as opened:
        opened.write(content)
        opened.truncate()


async def is_silent(flag):
    with trio.move_on_after(0.1) as patience:
        await flag.wait()
    return patience.cancelled_caught


async def test_nothing_beats_while_nothing_changes(flag):
    assert await is_silent(flag)


async def test_a_file_rewritten_in_place_beats(flag, file):
    rewrite(file, b"after!")

    with trio.fail_after(5):
        await flag.wait()


async def test_a_file_cut_to_nothing_beats(flag, file):
    rewrite(file, b"")

    with trio.fail_after(5):
        await flag.wait()


async def test_many_changes_are_one_beat(flag, file):
    for _ in range(100):
        rewrite(file, b"x")
    await trio.sleep(0.05)

    await flag.wait()

    assert await is_silent(flag)


async def test_something_new_in_a_folder_beats(tmp_path, nursery):
    flag = ChangeFlag()
    nursery.start_soon(changes.watch, {str(tmp_path): flag})
    await flag.wait()

    (tmp_path / "new").touch()

    with trio.fail_after(5):
        await flag.wait()


async def test_each_path_has_its_own_pulse(tmp_path, file, nursery):
    other = tmp_path / "other"
    other.touch()
    flags = {str(file): ChangeFlag(), str(other): ChangeFlag()}
    nursery.start_soon(changes.watch, flags)
    for flag in flags.values():
        await flag.wait()

    other.write_text("changed")

    with trio.fail_after(5):
        await flags[str(other)].wait()
    assert await is_silent(flags[str(file)])


async def test_a_file_that_was_replaced_is_watched_again(flag, file):
    file.unlink()
    file.write_text("another")
    with trio.fail_after(5):
        await flag.wait()
    await trio.sleep(0.05)
    while not await is_silent(flag):
        pass

    file.write_text("changed")

    with trio.fail_after(5):
        await flag.wait()


async def test_without_inotify_every_pulse_beats_every_second(file, nursery, monkeypatch, caplog):
    def none_left():
        raise OSError

    monkeypatch.setattr(pyinotify, "WatchManager", none_left)
    clock = MockClock(autojump_threshold=0)
    beats = []

    async def count():
        flag = ChangeFlag()
        async with trio.open_nursery() as inner:
            inner.start_soon(changes.watch, {str(file): flag})
            for _ in range(4):
                await flag.wait()
                beats.append(trio.current_time())
            inner.cancel_scope.cancel()

    await trio.to_thread.run_sync(lambda: trio.run(count, clock=clock))

    assert [round(beat - beats[0]) for beat in beats] == [0, 1, 2, 3]
    assert [record.message for record in caplog.records] == ["inotify is not available: looking every 1 s instead"]


async def test_inotify_is_used_again_when_it_can_be_had(file, nursery, monkeypatch):
    real = pyinotify.WatchManager
    refusals = iter([OSError(), OSError()])

    def at_the_third_time():
        for refusal in refusals:
            raise refusal
        return real()

    monkeypatch.setattr(pyinotify, "WatchManager", at_the_third_time)
    monkeypatch.setattr(changes, "LOOK_INTERVAL", 0.01)
    flag = ChangeFlag()
    nursery.start_soon(changes.watch, {str(file): flag})
    await trio.sleep(0.1)
    await flag.wait()

    assert await is_silent(flag)
    file.write_text("changed")
    with trio.fail_after(5):
        await flag.wait()
