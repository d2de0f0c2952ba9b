"""The dialog queue: order, tickets, memory, pauses; with a scripted user in place of a window."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from litterbox.confirm.question import Answer, Approval, Kind, Question
from litterbox.confirm.queue import MAX_PAUSE, MAX_WAITING, DialogQueue, open_dialog_queue


def question(name: str, approval: Approval | None = None, kind: Kind = Kind.SSH) -> Question:
    return Question(box="work", action=f"for {name}", fields=(), request=name.encode(), approval=approval, kind=kind)


LIST = Approval("list", "", "")
GIT = Approval("sign", "SHA256:a", "namespace git")


@attrs.define
class User:
    """Sees what is shown, and answers when told to."""

    shown: list[str] = attrs.field(factory=list)
    gone: list[str] = attrs.field(factory=list)
    replies: dict[str, tuple[trio.Event, list[Answer]]] = attrs.field(factory=dict)

    async def show(self, asked: Question) -> Answer:
        name = asked.request.decode()
        self.shown.append(name)
        event, answers = self.replies.setdefault(name, (trio.Event(), []))
        try:
            await event.wait()
        except trio.Cancelled:
            self.gone.append(name)
            raise
        del self.replies[name]
        return answers[0]

    async def answers(self, name: str, answer: Answer) -> None:
        await wait_all_tasks_blocked()
        event, answers = self.replies.setdefault(name, (trio.Event(), []))
        answers.append(answer)
        event.set()
        await wait_all_tasks_blocked()


@attrs.define
class Box:
    """Asks, each question in a task of its own, and keeps the answers in the order in which they came."""

    queue: DialogQueue
    nursery: trio.Nursery
    got: list[tuple[str, Answer]] = attrs.field(factory=list)

    async def asks(self, name: str, approval: Approval | None = None, kind: Kind = Kind.SSH) -> trio.CancelScope:
        """Ask; cancel the returned scope to hang up."""
        scope = trio.CancelScope()

        async def ask() -> None:
            with scope:
                self.got.append((name, await self.queue.ask(question(name, approval, kind))))

        self.nursery.start_soon(ask)
        await wait_all_tasks_blocked()
        return scope


@asynccontextmanager
async def desk() -> AsyncIterator[tuple[User, Box]]:
    user = User()
    async with open_dialog_queue(user.show) as queue, trio.open_nursery() as nursery:
        yield user, Box(queue, nursery)
        nursery.cancel_scope.cancel()


async def answered(answer: Answer, *, times: int, queue: DialogQueue, user: User, kind: Kind = Kind.SSH) -> None:
    """A box asks `times` times, and the user answers each."""
    for _ in range(times):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(queue.ask, question("x", kind=kind))
            await user.answers("x", answer)


async def test_the_answer_reaches_the_one_who_asked():
    async with desk() as (user, box):
        await box.asks("a")
        await user.answers("a", Answer.APPROVED_ONCE)
        assert box.got == [("a", Answer.APPROVED_ONCE)]


async def test_one_dialog_at_a_time_in_order_of_arrival():
    async with desk() as (user, box):
        for name in ("a", "b", "c"):
            await box.asks(name)
        assert user.shown == ["a"]
        await user.answers("a", Answer.APPROVED_ONCE)
        assert user.shown == ["a", "b"]
        await user.answers("b", Answer.DECLINED)
        await user.answers("c", Answer.APPROVED_ONCE)
        assert [name for name, _ in box.got] == ["a", "b", "c"]


async def test_equal_questions_share_one_dialog_and_its_answer():
    async with desk() as (user, box):
        for _ in range(3):
            await box.asks("a")
        await user.answers("a", Answer.APPROVED_ONCE)
        assert user.shown == ["a"]
        assert box.got == [("a", Answer.APPROVED_ONCE)] * 3


async def test_an_answer_once_is_not_remembered():
    async with desk() as (user, box):
        await box.asks("a", LIST)
        await user.answers("a", Answer.APPROVED_ONCE)
        await box.asks("a", LIST)
        assert user.shown == ["a", "a"]
        assert box.queue.approvals() == ()


async def test_hanging_up_leaves_the_dialog_to_those_who_still_wait():
    async with desk() as (user, box):
        first = await box.asks("a")
        await box.asks("a")
        first.cancel()
        await user.answers("a", Answer.APPROVED_ONCE)
        assert user.gone == []
        assert box.got == [("a", Answer.APPROVED_ONCE)]


async def test_the_last_one_to_hang_up_ends_the_dialog_and_the_next_is_shown():
    async with desk() as (user, box):
        first, second = await box.asks("a"), await box.asks("a")
        await box.asks("b")
        first.cancel()
        second.cancel()
        await wait_all_tasks_blocked()
        assert user.gone == ["a"]
        assert user.shown == ["a", "b"]


async def test_a_question_withdrawn_before_its_turn_is_never_shown():
    async with desk() as (user, box):
        await box.asks("a")
        (await box.asks("b")).cancel()
        await user.answers("a", Answer.APPROVED_ONCE)
        assert user.shown == ["a"]


async def test_a_question_asked_again_while_its_window_goes_gets_a_window_of_its_own():
    shown = []
    gone = trio.Event()

    async def show_and_go_slowly(asked: Question) -> Answer:
        shown.append(asked)
        if len(shown) == 1:
            try:
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await gone.wait()
        return Answer.APPROVED_ONCE

    async with open_dialog_queue(show_and_go_slowly) as queue, trio.open_nursery() as nursery:
        box = Box(queue, nursery)
        scope = await box.asks("a")
        scope.cancel()
        await wait_all_tasks_blocked()
        await box.asks("a")
        assert len(shown) == 1
        gone.set()
        await wait_all_tasks_blocked()
        assert len(shown) == 2
        assert box.got == [("a", Answer.APPROVED_ONCE)]


OTHERS = [kind for kind in Kind if kind is not Kind.LINK]


async def test_one_kind_leaves_a_place_to_each_other_kind():
    async with desk() as (user, box):
        await box.asks("shown", kind=Kind.LINK)
        most = MAX_WAITING - len(OTHERS)
        for number in range(most + 2):
            await box.asks(str(number), kind=Kind.LINK)
        assert box.got == [(str(most), Answer.CROWDED), (str(most + 1), Answer.CROWDED)]
        await box.asks("0", kind=Kind.LINK)  # a share in a dialog that waits already takes no place
        assert len(box.got) == 2
        for kind in OTHERS:
            await box.asks(f"a {kind}", kind=kind)
        assert len(box.got) == 2  # that is sixteen
        for kind in Kind:
            await box.asks(f"another {kind}", kind=kind)
        assert [answer for _name, answer in box.got[2:]] == [Answer.CROWDED] * len(Kind)
        await user.answers("shown", Answer.APPROVED_ONCE)
        await box.asks("again", kind=Kind.LINK)
        assert len(box.got) == 2 + len(Kind) + 1


async def test_several_kinds_have_sixteen_places_together():
    async with desk() as (_user, box):
        await box.asks("shown")
        for number in range(MAX_WAITING):
            await box.asks(str(number), kind=list(Kind)[number % len(Kind)])
        assert box.got == []
        await box.asks("one more")
        assert box.got == [("one more", Answer.CROWDED)]


@pytest.mark.parametrize("kind", Kind)
async def test_refusals_of_one_kind_pause_no_other_kind(kind, mock_clock):
    async with desk() as (user, box):
        await answered(Answer.DECLINED, times=3, queue=box.queue, user=user, kind=kind)
        assert await box.queue.ask(question("x", kind=kind)) is Answer.PAUSED
        for other in set(Kind) - {kind}:
            await answered(Answer.DECLINED, times=1, queue=box.queue, user=user, kind=other)
        assert len(user.shown) == 3 + len(Kind) - 1


async def test_an_approval_of_one_kind_does_not_end_the_count_of_another(mock_clock):
    async with desk() as (user, box):
        await answered(Answer.DECLINED, times=2, queue=box.queue, user=user, kind=Kind.LINK)
        await answered(Answer.APPROVED_ONCE, times=1, queue=box.queue, user=user, kind=Kind.SSH)
        await answered(Answer.DECLINED, times=1, queue=box.queue, user=user, kind=Kind.LINK)
        assert await box.queue.ask(question("x", kind=Kind.LINK)) is Answer.PAUSED


async def test_an_approval_for_the_session_covers_what_is_exactly_alike():
    async with desk() as (user, box):
        await box.asks("a", GIT)
        await user.answers("a", Answer.APPROVED_SESSION)
        await box.asks("b", GIT)
        assert box.got == [("a", Answer.APPROVED_SESSION), ("b", Answer.REMEMBERED)]
        assert box.queue.approvals() == (GIT,)


@pytest.mark.parametrize(
    "other",
    [
        attrs.evolve(GIT, request="list"),
        attrs.evolve(GIT, subject="SHA256:b"),
        attrs.evolve(GIT, destination="namespace file"),
        None,
    ],
)
async def test_an_approval_for_the_session_covers_nothing_else(other):
    async with desk() as (user, box):
        await box.asks("a", GIT)
        await user.answers("a", Answer.APPROVED_SESSION)
        await box.asks("b", other)
        assert user.shown == ["a", "b"]


async def test_an_approval_for_the_session_answers_those_who_wait_already():
    async with desk() as (user, box):
        await box.asks("a", LIST)
        await box.asks("b", LIST)
        await user.answers("a", Answer.APPROVED_SESSION)
        assert user.shown == ["a"]
        assert dict(box.got)["b"] is Answer.REMEMBERED


async def test_a_forgotten_approval_is_asked_for_again():
    async with desk() as (user, box):
        await box.asks("a", LIST)
        await user.answers("a", Answer.APPROVED_SESSION)
        box.queue.forget()
        await box.asks("a", LIST)
        assert user.shown == ["a", "a"]


@pytest.mark.parametrize("answer", [Answer.DECLINED, Answer.TIMED_OUT])
async def test_three_refusals_in_a_row_pause_the_box_longer_each_time(answer, mock_clock):
    async with desk() as (user, box):
        await answered(answer, times=3, queue=box.queue, user=user)
        for pause in (5, 10, 20, 40, 80, 160, 300, 300):
            assert await box.queue.ask(question("x")) is Answer.PAUSED
            mock_clock.jump(pause - 0.001)
            assert await box.queue.ask(question("x")) is Answer.PAUSED
            mock_clock.jump(0.002)
            await answered(answer, times=1, queue=box.queue, user=user)
        assert len(user.shown) == 3 + 8


async def test_windows_withdrawn_count_towards_the_pause():
    async with desk() as (user, box):
        for _ in range(3):
            (await box.asks("a")).cancel()
            await wait_all_tasks_blocked()
        await box.asks("a")
        assert user.shown == ["a"] * 3
        assert box.got == [("a", Answer.PAUSED)]


async def test_an_approval_starts_the_count_anew():
    async with desk() as (user, box):
        for _ in range(5):
            await answered(Answer.DECLINED, times=2, queue=box.queue, user=user)
            await answered(Answer.APPROVED_ONCE, times=1, queue=box.queue, user=user)
        assert len(user.shown) == 15


async def test_a_window_that_could_not_be_shown_does_not_count_towards_the_pause():
    async with desk() as (user, box):
        await answered(Answer.NOT_SHOWN, times=5, queue=box.queue, user=user)
        assert len(user.shown) == 5


async def test_those_who_wait_when_a_pause_begins_are_refused_without_a_window(mock_clock):
    async with desk() as (user, box):
        await answered(Answer.DECLINED, times=2, queue=box.queue, user=user)
        await box.asks("a")
        await box.asks("b")
        await user.answers("a", Answer.DECLINED)
        assert dict(box.got) == {"a": Answer.DECLINED, "b": Answer.PAUSED}
        assert "b" not in user.shown


async def test_an_approval_of_the_session_holds_through_a_pause(mock_clock):
    async with desk() as (user, box):
        await box.asks("a", LIST)
        await user.answers("a", Answer.APPROVED_SESSION)
        await answered(Answer.DECLINED, times=3, queue=box.queue, user=user)
        assert await box.queue.ask(question("x")) is Answer.PAUSED
        assert await box.queue.ask(question("a", LIST)) is Answer.REMEMBERED


async def test_a_pause_never_grows_beyond_its_bound(mock_clock):
    async with desk() as (user, box):
        for _ in range(1100):  # four days of a box that does nothing else, and more than a float can double
            await answered(Answer.DECLINED, times=1, queue=box.queue, user=user)
            mock_clock.jump(MAX_PAUSE + 1)
        assert len(user.shown) == 1100


async def test_a_dialog_that_fails_is_no_approval_and_the_queue_goes_on(caplog):
    replies: list[Callable[[], Answer]] = [lambda: 1 / 0, lambda: Answer.APPROVED_ONCE]

    async def show(_question: Question) -> Answer:
        return replies.pop(0)()

    with caplog.at_level(logging.ERROR):
        async with open_dialog_queue(show) as queue:
            assert await queue.ask(question("a")) is Answer.NOT_SHOWN
            assert await queue.ask(question("b")) is Answer.APPROVED_ONCE
    assert "ZeroDivisionError" in caplog.text


async def test_closing_the_queue_takes_the_window_down_and_answers_everybody():
    user = User()
    async with trio.open_nursery() as nursery:
        async with open_dialog_queue(user.show) as queue:
            box = Box(queue, nursery)
            await box.asks("a")
            await box.asks("b")
        assert user.gone == ["a"]
        await wait_all_tasks_blocked()
        assert dict(box.got) == {"a": Answer.WITHDRAWN, "b": Answer.WITHDRAWN}
        assert await queue.ask(question("c")) is Answer.WITHDRAWN


async def test_it_tells_how_many_questions_are_open_and_each_window_how_many_wait(mock_clock):
    waiting = []

    async def show(asked: Question) -> Answer:
        waiting.append(asked.waiting)
        await trio.sleep(1)
        return Answer.DECLINED

    async with open_dialog_queue(show) as queue, trio.open_nursery() as nursery:
        for name in ("first", "second", "third"):
            nursery.start_soon(queue.ask, question(name))
        await wait_all_tasks_blocked()
        assert queue.open_questions() == 3
        mock_clock.autojump_threshold = 0
    assert waiting == [2, 1, 0]
    assert queue.open_questions() == 0


async def test_it_tells_which_kinds_are_paused_and_for_how_long(mock_clock):
    async def decline(_asked: Question) -> Answer:
        return Answer.DECLINED

    async with open_dialog_queue(decline) as queue:
        assert queue.pauses() == {}
        for name in ("first", "second", "third"):
            await queue.ask(question(name, kind=Kind.LINK))
        assert queue.pauses() == {Kind.LINK: 5.0}
        mock_clock.jump(6)
        assert queue.pauses() == {}
