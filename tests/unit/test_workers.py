"""Work whose cost a box chooses: it runs apart, a few at a time, and nobody else waits for it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from litterbox import workers

MOMENT = 5  # seconds; far more than a thread takes to answer, far less than for ever


@contextmanager
def stuck() -> Iterator[threading.Event]:
    """An event that nobody sets before the end of the block: who waits for it is busy."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


async def test_it_returns_what_the_function_returns_and_raises_what_it_raises():
    assert await workers.run_untrusted(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await workers.run_untrusted(divmod, 7, 0)


async def test_no_more_than_a_few_run_at_once():
    with stuck() as event:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(workers.run_untrusted, event.wait)
            await wait_all_tasks_blocked()
            statistics = workers.limiter().statistics()
            assert (statistics.borrowed_tokens, statistics.tasks_waiting) == (
                workers.MAX_WORKERS,
                100 - workers.MAX_WORKERS,
            )
            nursery.cancel_scope.cancel()


async def test_with_its_queue_full_other_threads_answer_at_once():
    with stuck() as event:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(workers.run_untrusted, event.wait)
            await wait_all_tasks_blocked()
            with trio.fail_after(MOMENT):
                assert await trio.to_thread.run_sync(int) == 0
            nursery.cancel_scope.cancel()


async def test_with_its_queue_full_the_end_does_not_wait():
    with stuck() as event, trio.fail_after(MOMENT):
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(workers.run_untrusted, event.wait)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()


async def test_what_was_cancelled_holds_its_place_until_it_has_ended():
    with stuck() as event:
        with trio.move_on_after(0.01):
            await workers.run_untrusted(event.wait)
        assert workers.limiter().borrowed_tokens == 1
        event.set()
        with trio.fail_after(MOMENT):
            while workers.limiter().borrowed_tokens:
                await trio.lowlevel.checkpoint()


def test_each_event_loop_has_places_of_its_own():
    async def leave_one_running(event: threading.Event) -> None:
        with trio.move_on_after(0.01):
            await workers.run_untrusted(event.wait)

    async def count() -> int:
        return workers.limiter().borrowed_tokens

    with stuck() as event:
        for _ in range(workers.MAX_WORKERS):
            trio.run(leave_one_running, event)
        assert trio.run(count) == 0
