"""Real processes in the place of sessions' commands."""

import os
import signal
import subprocess

import pytest
import trio

from litterbox_guest import ending, sessions
from litterbox_guest.changes import ChangeFlag

GRACE = 0.5


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "session.lock"
    file.write_text("1 1\n2 2\n")
    return file


@pytest.fixture
def records(tmp_path):
    folder = tmp_path / "sessions"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def begin(records):
    """Start a process as a session's command; all are gone afterwards."""
    begun = []

    def start(session, script):
        process = subprocess.Popen(["bash", "-c", script], start_new_session=True, stdout=subprocess.PIPE)
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        sessions.record(session, process.pid, folder=records)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
async def changed(lock, records, nursery):
    flag = ChangeFlag()
    nursery.start_soon(lambda: ending.end_departed_sessions(flag, str(lock), records=records, grace=GRACE))
    return flag


def write(path, content):
    with open(path, "w", encoding="ascii") as file:
        file.write(content)


async def status(process, *, within=5.0):
    """The status that the process ends with, None when it has not ended in time."""
    descriptor = os.pidfd_open(process.pid)
    with trio.move_on_after(within):
        await trio.lowlevel.wait_readable(descriptor)
    os.close(descriptor)
    return process.poll()


async def test_a_departed_sessions_process_is_hung_up(begin, lock, changed):
    process = begin("2-2", "echo ready; exec sleep 60")

    lock.write_text("1 1\n")
    changed.set()

    assert await status(process) == -signal.SIGHUP


async def test_who_ignores_that_is_killed_after_the_grace(begin, lock, changed):
    process = begin("2-2", "trap '' HUP; echo ready; while :; do sleep 0.1; done")

    lock.write_text("1 1\n")
    changed.set()

    assert await status(process, within=GRACE / 2) is None
    assert await status(process) == -signal.SIGKILL


async def test_its_process_group_is_hung_up_too(begin, lock, changed):
    process = begin("2-2", "(trap 'echo group; exit' HUP; echo ready; while :; do sleep 0.1; done)")

    lock.write_text("1 1\n")
    changed.set()

    assert await status(process) == -signal.SIGHUP
    assert await trio.to_thread.run_sync(process.stdout.readline) == b"group\n"


async def test_a_stopped_process_is_woken_to_end(begin, lock, changed):
    process = begin("2-2", "echo ready; exec sleep 60")
    process.send_signal(signal.SIGSTOP)

    lock.write_text("1 1\n")
    changed.set()

    assert await status(process) == -signal.SIGHUP


async def test_listed_sessions_are_left_alone(begin, lock, changed):
    process = begin("1-1", "echo ready; exec sleep 60")

    lock.write_text("1 1\n")
    changed.set()

    assert await status(process, within=0.3) is None


async def test_a_process_that_only_has_the_pid_of_one_is_left_alone(begin, lock, changed, records):
    process = begin("1-1", "echo ready; exec sleep 60")
    write(f"{records}/2-2", f"{process.pid} 1")

    lock.write_text("1 1\n")
    changed.set()

    assert await status(process, within=0.3) is None
    assert "2-2" not in sessions.recorded(records)


async def test_a_record_goes_with_its_process(begin, lock, changed, records):
    process = begin("2-2", "echo ready; exec sleep 60")

    lock.write_text("1 1\n")
    changed.set()
    await status(process)
    await trio.sleep(0.1)

    assert sessions.recorded(records) == {}


async def test_it_returns_when_the_lock_is_empty(lock, records):
    lock.write_text("")

    with trio.fail_after(20):
        await ending.end_departed_sessions(ChangeFlag(), str(lock), records=records)


async def test_a_line_that_is_missing_for_a_moment_ends_nothing(begin, lock, changed):
    """As a reader may see it between two writes of the host."""
    process = begin("2-2", "echo ready; exec sleep 60")

    lock.write_text("1 1\n")
    changed.set()
    await trio.sleep(0.02)
    lock.write_text("1 1\n2 2\n")
    changed.set()

    assert await status(process, within=0.3) is None
