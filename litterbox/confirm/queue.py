"""The dialog queue: what is on screen, who waits for it, what is remembered, when the box must pause.

One dialog at a time, in order of arrival. Whoever asks holds a *ticket*: equal questions share one dialog, and the
last ticket given back ends it. Refusals pause their own kind of request only, and no kind can take all places: a box
that is declined links can still be asked about its keys. The queue knows nothing of windows; `show` does.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio
from trio_util import AsyncBool

from litterbox.confirm.question import Answer, Approval, Kind, Question

MAX_WAITING: Final = 16  # questions behind the one on screen; a place of these is kept for each kind
STRIKES: Final = 3  # declines, timeouts and withdrawals of one kind in a row before its first pause
SHORTEST_PAUSE: Final = 5.0  # seconds; doubled by each further strike
MAX_PAUSE: Final = 300.0
_MAX_DOUBLINGS: Final = 10  # beyond MAX_PAUSE; a box may strike for days, and a float doubles 1,021 times

_STRIKES: Final = frozenset({Answer.DECLINED, Answer.TIMED_OUT, Answer.WITHDRAWN})

_logger = logging.getLogger(__name__)

Show = Callable[[Question], Awaitable[Answer]]


@attrs.define(eq=False)
class _Dialog:
    """A question that waits or is on screen, and how many wait for its answer."""

    question: Question
    tickets: int = 0
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    done: trio.Event = attrs.field(factory=trio.Event)
    answer: Answer = Answer.WITHDRAWN


@attrs.define
class _Refusals:
    """How many refusals of one kind there were in a row, and until when its questions get no window."""

    in_a_row: int = 0
    paused_until: float = float("-inf")


class DialogQueue:
    """The queue of one box; made by `open_dialog_queue`. Its approvals last as long as it does."""

    def __init__(self) -> None:
        self._waiting: dict[Question, _Dialog] = {}  # in order of arrival
        self._on_screen: _Dialog | None = None
        self._closed = False
        self._has_arrived = AsyncBool()
        self._approvals: dict[Approval, None] = {}
        self._refusals = {kind: _Refusals() for kind in Kind}

    async def ask(self, question: Question) -> Answer:
        """Ask the user; returns at once, without a checkpoint, where no window is needed or none may open.

        Cancelling the call gives the ticket back: the dialog goes unless others hold tickets to it.
        """
        decided = self._without_window(question)
        if decided is not None:
            return decided
        dialog = self._dialog(question)
        if dialog is None:
            if not self._has_place(question.kind):
                return Answer.CROWDED
            dialog = self._waiting[question] = _Dialog(question)
            self._has_arrived.value = True
        dialog.tickets += 1
        try:
            await dialog.done.wait()
        finally:
            dialog.tickets -= 1
            if not dialog.tickets and not dialog.done.is_set():
                self._withdraw(dialog)
        return dialog.answer

    def approvals(self) -> tuple[Approval, ...]:
        """What this session has approved, oldest first."""
        return tuple(self._approvals)

    def open_questions(self) -> int:
        """Return how many questions are on the screen or wait for it."""
        return len(self._waiting) + (self._on_screen is not None)

    def pauses(self) -> dict[Kind, float]:
        """Return the kinds whose questions get no window just now, each with the seconds until they do again."""
        now = trio.current_time()
        return {kind: one.paused_until - now for kind, one in self._refusals.items() if one.paused_until > now}

    def forget(self) -> None:
        """Drop every approval of this session."""
        self._approvals.clear()

    async def run(self, show: Show) -> None:
        """Show the questions, one at a time, until cancelled; then every ticket is answered WITHDRAWN."""
        try:
            while True:
                await self._has_arrived.wait_value(True)  # noqa: FBT003 - its only parameter
                while self._waiting:
                    await self._next(self._waiting.pop(next(iter(self._waiting))), show)
                self._has_arrived.value = False
        finally:
            self._closed = True
            for dialog in self._waiting.values():
                dialog.done.set()

    async def _next(self, dialog: _Dialog, show: Show) -> None:
        try:
            decided = self._without_window(dialog.question)
            if decided is not None:
                dialog.answer = decided
                return
            self._on_screen = dialog
            await _show(show, dialog, waiting=len(self._waiting))
            self._learn(dialog)
        finally:
            self._on_screen = None
            dialog.done.set()

    def _without_window(self, question: Question) -> Answer | None:
        if question.approval in self._approvals:
            return Answer.REMEMBERED
        if self._closed:
            return Answer.WITHDRAWN
        paused_until = self._refusals[question.kind].paused_until
        return Answer.PAUSED if trio.current_time() < paused_until else None

    def _has_place(self, kind: Kind) -> bool:
        """Whether one more of that kind may wait: each other kind of which none waits has a place kept for it."""
        others = set(Kind) - {kind} - {question.kind for question in self._waiting}
        return len(self._waiting) + len(others) < MAX_WAITING

    def _dialog(self, question: Question) -> _Dialog | None:
        """The dialog that asks just this, on screen or waiting; not one that is on its way out."""
        shown = self._on_screen
        if shown is not None and shown.question == question and not shown.scope.cancel_called:
            return shown
        return self._waiting.get(question)

    def _learn(self, dialog: _Dialog) -> None:
        answer, question = dialog.answer, dialog.question
        refusals = self._refusals[question.kind]
        if answer.approved:
            refusals.in_a_row = 0
            if answer is Answer.APPROVED_SESSION and question.approval is not None:
                self._approvals[question.approval] = None
        elif answer in _STRIKES:
            refusals.in_a_row += 1
            if refusals.in_a_row >= STRIKES:
                doublings = min(refusals.in_a_row - STRIKES, _MAX_DOUBLINGS)
                pause = min(SHORTEST_PAUSE * 2**doublings, MAX_PAUSE)
                refusals.paused_until = trio.current_time() + pause
                _logger.warning(
                    "%s: %d refusals in a row, no window about %s for %g s",
                    question.who,
                    refusals.in_a_row,
                    question.kind.value,
                    pause,
                )

    def _withdraw(self, dialog: _Dialog) -> None:
        if dialog is self._on_screen:
            dialog.scope.cancel()  # the runner waits until the window is gone, then goes on
        else:
            del self._waiting[dialog.question]


@asynccontextmanager
async def open_dialog_queue(show: Show) -> AsyncIterator[DialogQueue]:
    """A queue that shows its questions with `show`, in a task of this block's nursery.

    Leaving the block, or cancelling it, ends the dialog on screen and answers every ticket WITHDRAWN.
    """
    queue = DialogQueue()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run, show)
        yield queue
        nursery.cancel_scope.cancel()


async def _show(show: Show, dialog: _Dialog, *, waiting: int) -> None:
    """Fill in the answer; it stays WITHDRAWN where the last ticket is given back meanwhile."""
    with dialog.scope:
        try:
            dialog.answer = await show(attrs.evolve(dialog.question, waiting=waiting))
        except Exception:
            _logger.exception("%s: a dialog failed", dialog.question.who)
            dialog.answer = Answer.NOT_SHOWN
