"""The buttons of real dialogs, zenity 3's or 4's: each by keyboard and by mouse; whatever else happens, declines."""

from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio
from support.dialog import APPROVE, DECLINE, SESSION, Dialog, answer, dialog

from litterbox.confirm.question import Answer, Approval, Question

QUESTION = Question(
    box="work",
    action="sign with an SSH key of yours",
    fields=(("Key", "github (ssh-ed25519)"), ("For", 'a git commit or tag (namespace "git")')),
    request=b"sign",
)
WITH_SESSION = attrs.evolve(QUESTION, approval=Approval("sign", "SHA256:…", "namespace git"))
ONCE_AND_FOR_ALL = attrs.evolve(WITH_SESSION, once=True)

OFFERED = [
    (QUESTION, APPROVE, Answer.APPROVED_ONCE),
    (QUESTION, DECLINE, Answer.DECLINED),
    (WITH_SESSION, APPROVE, Answer.APPROVED_ONCE),
    (WITH_SESSION, SESSION, Answer.APPROVED_SESSION),
    (WITH_SESSION, DECLINE, Answer.DECLINED),
    (ONCE_AND_FOR_ALL, SESSION, Answer.APPROVED_SESSION),
    (ONCE_AND_FOR_ALL, DECLINE, Answer.DECLINED),
]


def press(*keys: str) -> Callable[[Dialog], Awaitable[None]]:
    return lambda dialog: dialog.press(*keys)


async def nothing(_dialog: Dialog) -> None:
    pass


@pytest.mark.parametrize(("question", "label", "expected"), OFFERED)
async def test_a_button_is_pressed_by_keyboard(display, question, label, expected):
    assert await answer(question, display, lambda dialog: dialog.choose(label)) is expected


@pytest.mark.parametrize(("question", "label", "expected"), OFFERED)
async def test_a_button_is_clicked(display, question, label, expected):
    assert await answer(question, display, lambda dialog: dialog.click(label)) is expected


@pytest.mark.parametrize(
    ("question", "buttons"),
    [
        (QUESTION, {APPROVE, DECLINE}),
        (WITH_SESSION, {APPROVE, SESSION, DECLINE}),
        (ONCE_AND_FOR_ALL, {SESSION, DECLINE}),
    ],
)
async def test_there_is_a_button_for_each_answer_and_no_other(display, question, buttons):
    async def look(dialog: Dialog) -> None:
        assert dialog.buttons == buttons
        await dialog.press("Escape")

    await answer(question, display, look)


@pytest.mark.parametrize("key", ["Return", "KP_Enter", "Escape", "space"])
@pytest.mark.parametrize("question", [QUESTION, WITH_SESSION, ONCE_AND_FOR_ALL])
async def test_the_keys_that_one_presses_by_mistake_decline(display, question, key):
    assert await answer(question, display, press(key)) is Answer.DECLINED


async def test_closing_the_window_declines(display):
    assert await answer(WITH_SESSION, display, lambda dialog: dialog.display.close(dialog.window)) is Answer.DECLINED


@pytest.mark.parametrize("question", [WITH_SESSION, ONCE_AND_FOR_ALL])
async def test_a_dialog_that_nobody_answers_times_out(display, question):
    assert await answer(question, display, nothing, within=1) is Answer.TIMED_OUT
    assert not Answer.TIMED_OUT.approved


async def test_a_window_destroyed_by_another_program_is_no_approval(display):
    async def destroy(dialog: Dialog) -> None:
        await dialog.display.destroy(dialog.window)

    assert await answer(QUESTION, display, destroy) is Answer.NOT_SHOWN


# Longer than the real time, so that what is pressed at once comes within it on a busy machine too.
SOON = 6.0  # seconds


async def again(shown: Dialog, display) -> Dialog:
    """Wait for the window that shows the question again."""
    await shown.gone()
    return await dialog(display, "Litterbox", saying="is not taken")


async def test_a_key_that_was_meant_for_something_else_approves_nothing(display):
    """Tab and Return come while somebody types elsewhere and the window opens under their hands, twice."""

    async def person(shown: Dialog) -> None:
        for _ in range(2):
            await shown.press("Tab", "Return")
            shown = await again(shown, display)
        await trio.sleep(SOON)
        await shown.choose(APPROVE)

    assert await answer(QUESTION, display, person, min_reading_time=SOON) is Answer.APPROVED_ONCE


@pytest.mark.parametrize("label", [APPROVE, SESSION])
async def test_a_click_that_was_meant_for_something_else_approves_nothing(display, label):
    async def person(shown: Dialog) -> None:
        for _ in range(2):
            await shown.click_at_once(label)
            shown = await again(shown, display)
        await shown.click(DECLINE)

    assert await answer(WITH_SESSION, display, person, min_reading_time=SOON) is Answer.DECLINED
