"""The end of a box waits its turn, and says whom it waits for."""

import os

import pytest
import trio

from litterbox import files, locks, paths
from litterbox.daemon import shutdown


@pytest.fixture(autouse=True)
def root():
    files.private_folder(paths.root())


async def test_the_enter_lock_is_taken_when_it_is_free():
    descriptor = await shutdown.take_enter_lock("work")
    assert locks.is_held(paths.enter_lock("work"))
    os.close(descriptor)


async def test_the_log_names_who_holds_the_lock(autojump_clock, caplog):
    with locks.hold(paths.enter_lock("work"), within=0):
        with trio.move_on_after(70):
            await shutdown.take_enter_lock("work")
    assert [record.message.partition(" (")[0] for record in caplog.records] == [
        f"still waiting for the box's lock, held by process {os.getpid()}"
    ] * 2


async def test_a_wait_that_is_cancelled_leaves_the_lock_alone(autojump_clock):
    held = locks.acquire(paths.enter_lock("work"), within=0)
    with trio.move_on_after(1):
        await shutdown.take_enter_lock("work")
    os.close(held)
    assert not locks.is_held(paths.enter_lock("work"))
