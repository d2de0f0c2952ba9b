"""The reasons to leave; the rest is seen in a real box, where it is PID 1."""

import os
import signal

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from litterbox_guest import proc, wait
from litterbox_guest.host_link import HostConnection


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "session.lock"
    file.write_text("1 1\n")
    return file


@pytest.fixture
def sockets(tmp_path):
    folder = tmp_path / "litterbox"
    folder.mkdir()
    return folder


@pytest.fixture
async def left(lock, sockets, nursery):
    """An event that is set when `wait` has left."""
    event = trio.Event()

    async def run():
        await wait.serve("work", str(sockets), lock=str(lock))
        event.set()

    nursery.start_soon(run)
    await wait_all_tasks_blocked(0.05)
    return event


async def test_it_stays_while_there_is_a_session(left):
    assert not left.is_set()


async def test_it_leaves_when_the_lock_is_emptied(left, lock):
    os.truncate(lock, 0)

    with trio.fail_after(5):
        await left.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_leaves_when_told_to(left, number):
    os.kill(os.getpid(), number)

    with trio.fail_after(5):
        await left.wait()


async def test_it_leaves_at_once_when_the_lock_is_empty(lock, sockets):
    os.truncate(lock, 0)

    with trio.fail_after(5):
        await wait.serve("work", str(sockets), lock=str(lock))


class TestAbandonment:
    @pytest.fixture
    def outside(self, monkeypatch):
        """The processes from outside the box."""
        pids = []
        monkeypatch.setattr(proc, "from_outside", lambda: pids)
        return pids

    async def test_with_nobody_outside_it_comes_after_a_while(self, outside, autojump_clock):
        await wait._abandonment(HostConnection(), 30)

        assert trio.current_time() == pytest.approx(30, abs=6)

    async def test_a_process_from_outside_delays_it(self, outside, autojump_clock):
        outside.append(1000)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait._abandonment, HostConnection(), 30)
            await trio.sleep(300)
            outside.clear()

        assert trio.current_time() == pytest.approx(330, abs=6)

    async def test_a_daemon_delays_it(self, outside, autojump_clock):
        connection = HostConnection()
        connection.connected()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait._abandonment, connection, 30)
            await trio.sleep(300)
            connection.disconnected()

        assert trio.current_time() == pytest.approx(330, abs=6)

    async def test_a_daemon_that_comes_back_in_time_prevents_it(self, outside, autojump_clock):
        connection = HostConnection()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait._abandonment, connection, 30)
            await trio.sleep(20)
            connection.connected()
            await trio.sleep(300)
            assert nursery.child_tasks
            connection.disconnected()

        assert trio.current_time() == pytest.approx(350, abs=6)


def test_who_has_a_parent_here_is_not_from_outside():
    assert os.getpid() not in proc.from_outside()
