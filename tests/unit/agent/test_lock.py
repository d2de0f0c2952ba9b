"""The agent's lock, on a clock that waits for nobody."""

import trio

from litterbox.agent.lock import AgentLock


async def test_only_the_same_passphrase_opens_it(autojump_clock):
    lock = AgentLock()
    assert not lock.locked
    assert not await lock.unlock(b"secret")
    assert await lock.lock(b"secret")
    assert lock.locked
    assert not await lock.lock(b"other")
    assert not await lock.unlock(b"Secret")
    assert lock.locked
    assert await lock.unlock(b"secret")
    assert not lock.locked


async def test_an_empty_passphrase_is_one_like_others(autojump_clock):
    lock = AgentLock()
    assert await lock.lock(b"")
    assert not await lock.unlock(b"x")
    assert await lock.unlock(b"")


async def test_wrong_passphrases_take_longer_each_time_up_to_a_bound(autojump_clock):
    lock = AgentLock()
    await lock.lock(b"secret")
    delays = []
    for _ in range(3):
        before = trio.current_time()
        await lock.unlock(b"wrong")
        delays.append(round(trio.current_time() - before, 3))
    assert delays == [0.1, 0.2, 0.3]
    lock._wrong = 1000
    before = trio.current_time()
    await lock.unlock(b"wrong")
    assert trio.current_time() - before == 10.0


async def test_guesses_at_the_same_time_wait_for_each_other(autojump_clock):
    lock = AgentLock()
    await lock.lock(b"secret")
    before = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(lock.unlock, b"wrong")
    assert trio.current_time() - before >= 0.1 + 0.2 + 0.3 + 0.4 - 1e-9


async def test_a_right_passphrase_ends_the_delays(autojump_clock):
    lock = AgentLock()
    await lock.lock(b"secret")
    await lock.unlock(b"wrong")
    await lock.unlock(b"secret")
    await lock.lock(b"secret")
    before = trio.current_time()
    await lock.unlock(b"wrong")
    assert round(trio.current_time() - before, 3) == 0.1


def test_the_passphrase_is_not_kept():
    lock = AgentLock()
    trio.run(lock.lock, b"hunter2")
    assert b"hunter2" not in b"".join(value for value in vars(lock).values() if isinstance(value, bytes))
