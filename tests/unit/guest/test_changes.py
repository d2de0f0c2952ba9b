"""Real inotify on real files; only its absence is made up."""

import pyinotify
import pytest
import trio
from trio.testing import MockClock

from litterbox_guest import changes
from litterbox_guest.changes import Pulse


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    return path


@pytest.fixture
async def pulse(file, nursery):
    """The watched file's pulse, its first beat behind us."""
    pulse = Pulse()
    nursery.start_soon(changes.watch, {str(file): pulse})
    await pulse.wait()
    return pulse


def rewrite(file, content):
    """In place, as the host rewrites the session lock."""
    with open(file, "r+b") as opened:
        opened.write(content)
        opened.truncate()


async def is_silent(pulse):
    with trio.move_on_after(0.1) as patience:
        await pulse.wait()
    return patience.cancelled_caught


async def test_nothing_beats_while_nothing_changes(pulse):
    assert await is_silent(pulse)


async def test_a_file_rewritten_in_place_beats(pulse, file):
    rewrite(file, b"after!")

    with trio.fail_after(5):
        await pulse.wait()


async def test_a_file_cut_to_nothing_beats(pulse, file):
    rewrite(file, b"")

    with trio.fail_after(5):
        await pulse.wait()


async def test_many_changes_are_one_beat(pulse, file):
    for _ in range(100):
        rewrite(file, b"x")
    await trio.sleep(0.05)

    await pulse.wait()

    assert await is_silent(pulse)


async def test_something_new_in_a_folder_beats(tmp_path, nursery):
    pulse = Pulse()
    nursery.start_soon(changes.watch, {str(tmp_path): pulse})
    await pulse.wait()

    (tmp_path / "new").touch()

    with trio.fail_after(5):
        await pulse.wait()


async def test_each_path_has_its_own_pulse(tmp_path, file, nursery):
    other = tmp_path / "other"
    other.touch()
    pulses = {str(file): Pulse(), str(other): Pulse()}
    nursery.start_soon(changes.watch, pulses)
    for pulse in pulses.values():
        await pulse.wait()

    other.write_text("changed")

    with trio.fail_after(5):
        await pulses[str(other)].wait()
    assert await is_silent(pulses[str(file)])


async def test_a_file_that_was_replaced_is_watched_again(pulse, file):
    file.unlink()
    file.write_text("another")
    with trio.fail_after(5):
        await pulse.wait()
    await trio.sleep(0.05)
    while not await is_silent(pulse):
        pass

    file.write_text("changed")

    with trio.fail_after(5):
        await pulse.wait()


async def test_without_inotify_every_pulse_beats_every_second(file, nursery, monkeypatch, caplog):
    def none_left():
        raise OSError

    monkeypatch.setattr(pyinotify, "WatchManager", none_left)
    clock = MockClock(autojump_threshold=0)
    beats = []

    async def count():
        pulse = Pulse()
        async with trio.open_nursery() as inner:
            inner.start_soon(changes.watch, {str(file): pulse})
            for _ in range(4):
                await pulse.wait()
                beats.append(trio.current_time())
            inner.cancel_scope.cancel()

    await trio.to_thread.run_sync(lambda: trio.run(count, clock=clock))

    assert [round(beat - beats[0]) for beat in beats] == [0, 1, 2, 3]
    assert [record.message for record in caplog.records] == ["inotify cannot be had: looking every 1 s instead"]


async def test_inotify_is_used_again_when_it_can_be_had(file, nursery, monkeypatch):
    real = pyinotify.WatchManager
    refusals = iter([OSError(), OSError()])

    def at_the_third_time():
        for refusal in refusals:
            raise refusal
        return real()

    monkeypatch.setattr(pyinotify, "WatchManager", at_the_third_time)
    monkeypatch.setattr(changes, "LOOK_EVERY", 0.01)
    pulse = Pulse()
    nursery.start_soon(changes.watch, {str(file): pulse})
    await trio.sleep(0.1)
    await pulse.wait()

    assert await is_silent(pulse)
    file.write_text("changed")
    with trio.fail_after(5):
        await pulse.wait()
