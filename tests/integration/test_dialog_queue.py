"""The queue with real windows: one at a time, shared, withdrawn, remembered, and none while the box must wait."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio
from support.dialog import APPROVE, DECLINE, SESSION, Dialog, dialog
from support.display import Display

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Approval, Question
from litterbox.confirm.queue import DialogQueue, open_dialog_queue

TITLE = "Litterbox: work"
LIST = Approval("list", "", "")


def about(subject: str, approval: Approval | None = None, *, once: bool = False) -> Question:
    return Question(
        box="work",
        action=f"for {subject}",
        fields=(("Subject", subject),),
        request=subject.encode(),
        approval=approval,
        once=once,
    )


@attrs.define
class Box:
    """Asks, each question in a task of its own, and keeps the answers in the order in which they came."""

    queue: DialogQueue
    display: Display
    nursery: trio.Nursery
    got: list[tuple[str, Answer]] = attrs.field(factory=list)

    async def asks(self, question: Question) -> trio.CancelScope:
        """Ask; cancel the returned scope to hang up."""
        scope = trio.CancelScope()

        async def ask(task_status: trio.TaskStatus[None]) -> None:
            with scope:
                task_status.started()
                self.got.append((question.request.decode(), await self.queue.ask(question)))

        await self.nursery.start(ask)
        return scope

    async def dialog(self, subject: str) -> Dialog:
        return await dialog(self.display, TITLE, saying=f"Subject: {subject}")

    async def answers(self, count: int) -> list[tuple[str, Answer]]:
        """Wait until so many have come."""
        with trio.fail_after(20):
            while len(self.got) < count:
                await trio.sleep(0.01)
        return self.got

    async def windows(self) -> int:
        return len(await self.display.windows(TITLE))


@asynccontextmanager
async def desk(display: Display) -> AsyncIterator[Box]:
    show = partial(zenity.show, displays=[display.environment])
    async with open_dialog_queue(show) as queue, trio.open_nursery() as nursery:
        yield Box(queue, display, nursery)
        nursery.cancel_scope.cancel()


async def test_one_window_at_a_time_in_order_of_arrival(display):
    async with desk(display) as box:
        for subject in ("first", "second", "third"):
            await box.asks(about(subject))
        for subject, label in (("first", APPROVE), ("second", DECLINE), ("third", APPROVE)):
            shown = await box.dialog(subject)
            assert await box.windows() == 1
            await shown.choose(label)
        assert await box.answers(3) == [
            ("first", Answer.APPROVED_ONCE),
            ("second", Answer.DECLINED),
            ("third", Answer.APPROVED_ONCE),
        ]


async def test_equal_questions_share_one_window_and_its_answer(display):
    async with desk(display) as box:
        for _ in range(3):
            await box.asks(about("same"))
        shown = await box.dialog("same")
        assert await box.windows() == 1
        await shown.choose(APPROVE)
        assert await box.answers(3) == [("same", Answer.APPROVED_ONCE)] * 3
        assert await box.windows() == 0


async def test_a_question_that_comes_while_its_equal_is_on_screen_joins_it(display):
    async with desk(display) as box:
        first = await box.asks(about("same"))
        shown = await box.dialog("same")
        await box.asks(about("same"))
        first.cancel()
        await trio.sleep(0.2)
        assert await box.windows() == 1
        await shown.choose(APPROVE)
        assert await box.answers(1) == [("same", Answer.APPROVED_ONCE)]


async def test_a_withdrawn_question_takes_its_window_along_and_the_next_one_comes_up(display):
    async with desk(display) as box:
        first = await box.asks(about("first"))
        await box.asks(about("second"))
        shown = await box.dialog("first")
        first.cancel()
        withdrawn = time.perf_counter()
        while shown.window in await display.windows(TITLE):
            pass
        took = time.perf_counter() - withdrawn
        print(f"\nthe window of a withdrawn question was gone after {took * 1000:.0f} ms")
        assert took < 5  # about 30 ms on an idle machine; its timeout is minutes
        shown = await box.dialog("second")
        assert await box.windows() == 1
        await shown.choose(APPROVE)
        assert await box.answers(1) == [("second", Answer.APPROVED_ONCE)]


async def test_a_question_withdrawn_before_its_turn_never_has_a_window(display):
    async with desk(display) as box:
        await box.asks(about("first"))
        second = await box.asks(about("second"))
        await box.asks(about("third"))
        shown = await box.dialog("first")
        second.cancel()
        await shown.choose(APPROVE)
        await box.answers(1)
        await (await dialog(display, TITLE)).choose(APPROVE)
        assert await box.answers(2) == [("first", Answer.APPROVED_ONCE), ("third", Answer.APPROVED_ONCE)]


async def test_after_three_declines_the_box_has_no_window_for_a_while_and_longer_each_time(display, mock_clock):
    mock_clock.rate = 1  # windows take real time; pauses are jumped over

    async def declined(box: Box) -> None:
        before = len(box.got)
        await box.asks(about("more"))
        await (await box.dialog("more")).choose(DECLINE)
        assert (await box.answers(before + 1))[before:] == [("more", Answer.DECLINED)]

    async def must_wait(box: Box, pause: float) -> None:
        assert await box.queue.ask(about("more")) is Answer.PAUSED
        mock_clock.jump(pause - 3)
        assert await box.queue.ask(about("more")) is Answer.PAUSED
        assert await box.windows() == 0
        mock_clock.jump(3)

    async with desk(display) as box:
        for _ in range(3):
            await declined(box)
        for pause in (5, 10, 20):
            await must_wait(box, pause)
            await declined(box)


async def test_what_is_approved_for_the_session_is_not_asked_again_until_it_is_forgotten(display):
    async with desk(display) as box:
        await box.asks(about("keys", LIST))
        await (await box.dialog("keys")).choose(SESSION)
        assert await box.answers(1) == [("keys", Answer.APPROVED_SESSION)]
        assert await box.queue.ask(about("keys", LIST)) is Answer.REMEMBERED
        assert await box.windows() == 0
        box.queue.forget()
        await box.asks(about("keys", LIST))
        await (await box.dialog("keys")).choose(APPROVE)
        assert (await box.answers(2))[1:] == [("keys", Answer.APPROVED_ONCE)]


async def test_an_approval_for_the_session_answers_those_who_wait_for_it(display):
    async with desk(display) as box:
        await box.asks(about("keys", LIST))
        await box.asks(about("keys again", LIST))
        await (await box.dialog("keys")).choose(SESSION)
        assert dict(await box.answers(2)) == {"keys": Answer.APPROVED_SESSION, "keys again": Answer.REMEMBERED}
        assert await box.windows() == 0


async def test_what_is_asked_once_and_for_all_is_asked_once(display):
    async with desk(display) as box:
        await box.asks(about("key", LIST, once=True))
        await (await box.dialog("key")).choose(SESSION)
        assert await box.answers(1) == [("key", Answer.APPROVED_SESSION)]
        assert await box.queue.ask(about("key", LIST, once=True)) is Answer.REMEMBERED
        assert await box.windows() == 0
