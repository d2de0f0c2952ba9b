"""Real dialogs: zenity 3 or 4, whichever is installed, on a virtual display, with a user at the keys."""

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from functools import partial

import attrs
import trio
from support.display import Display

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Approval, Question

TITLE = "Litterbox: work"
QUESTION = Question(
    box="work",
    asks="to sign with an SSH key of yours",
    fields=(("Key", "github (ssh-ed25519)"), ("For", 'a git commit or tag (namespace "git")')),
    request=b"sign",
)
WITH_SESSION = attrs.evolve(QUESTION, approval=Approval("sign", "SHA256:…", "namespace git"))

Press = Callable[[Display, str], Awaitable[None]]


def zenity_version() -> int:
    """3 or 4; zenity 3 wants a display even to tell its version."""
    told = subprocess.run(["zenity", "--version"], check=False, capture_output=True, text=True).stdout
    return int(told.split(".")[0]) if told else 3


# From "Decline", which has the focus, to each button. Zenity 3 lets the text have the focus too.
TABS = {
    3: {"approve": 1, "approve beside session": 1, "session": 3},
    4: {"approve": 1, "approve beside session": 2, "session": 1},
}


def press(*keys: str) -> Press:
    async def hands(screen: Display, _window: str) -> None:
        await screen.press(*keys)

    return hands


def press_button(name: str) -> Press:
    return press(*["Tab"] * TABS[zenity_version()][name], "Return")


async def ask(question: Question, screen: Display, hands: Press, **options: float) -> Answer:
    """Show the dialog, wait for its window, do what the user does; return what came of it."""
    answers = []

    async def show() -> None:
        answers.append(await zenity.show(question, displays=[screen.environment], **options))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show)
        await hands(screen, await screen.window(TITLE))
    return answers[0]


def zenity_children(parent: int) -> list[str]:
    command = ["pgrep", "-x", "zenity", "-P", str(parent)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()


async def test_return_declines(display):
    assert await ask(WITH_SESSION, display, press("Return")) is Answer.DECLINED


async def test_escape_declines(display):
    assert await ask(WITH_SESSION, display, press("Escape")) is Answer.DECLINED


async def test_space_declines(display):
    assert await ask(WITH_SESSION, display, press("space")) is Answer.DECLINED


async def test_the_approve_button_approves_once(display):
    assert await ask(QUESTION, display, press_button("approve")) is Answer.APPROVED_ONCE


async def test_the_approve_button_approves_once_beside_the_one_for_the_session(display):
    assert await ask(WITH_SESSION, display, press_button("approve beside session")) is Answer.APPROVED_ONCE


async def test_the_session_button_approves_for_the_session(display):
    assert await ask(WITH_SESSION, display, press_button("session")) is Answer.APPROVED_SESSION


async def test_the_mouse_approves(display):
    async def click_the_lower_right_corner(screen: Display, window: str) -> None:
        width, height = await screen.size(window)
        await trio.sleep(0.5)  # GTK does not see a click until the window is drawn
        await screen.click(window, width - 60, height - 40)

    assert await ask(QUESTION, display, click_the_lower_right_corner) is Answer.APPROVED_ONCE


async def test_a_dialog_that_nobody_answers_times_out(display):
    async def nothing(_screen: Display, _window: str) -> None:
        pass

    assert await ask(QUESTION, display, nothing, patience=1) is Answer.TIMED_OUT


async def test_a_window_destroyed_by_another_program_is_no_approval(display):
    async def destroy(screen: Display, window: str) -> None:
        await trio.sleep(0.3)
        await trio.run_process(["xdotool", "windowclose", window], env={**os.environ, **screen.environment})

    assert await ask(QUESTION, display, destroy) is Answer.NOT_SHOWN


async def test_a_display_that_goes_away_is_no_approval():
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-noreset"]
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            partial(trio.run_process, command, check=False, pass_fds=[writing], stderr=subprocess.DEVNULL)
        )
        await trio.lowlevel.wait_readable(reading)
        screen = Display({"DISPLAY": f":{os.read(reading, 16).decode().strip()}"})

        async def unplug(_screen: Display, _window: str) -> None:
            server.kill()

        assert await ask(QUESTION, screen, unplug) is Answer.NOT_SHOWN
    os.close(reading)
    os.close(writing)


async def test_a_cancelled_dialog_is_gone_at_once(display):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: zenity.show(QUESTION, displays=[display.environment]))
        await display.window(TITLE)
        nursery.cancel_scope.cancel()
        cancelled = trio.current_time()
    assert trio.current_time() - cancelled < 1  # about 10 ms on an idle machine
    assert not zenity_children(os.getpid())
    await display.no_window(TITLE)


async def test_a_dialog_cancelled_before_its_window_shows_leaves_no_process(display):
    for delay in (0, 0.001, 0.003, 0.01, 0.03, 0.1):
        with trio.move_on_after(delay) as scope:
            await zenity.show(QUESTION, displays=[display.environment])
        assert scope.cancelled_caught
        assert not zenity_children(os.getpid())


async def test_the_next_display_is_tried_where_one_cannot_show(display, caplog):
    answers = []

    async def show() -> None:
        candidates = [{"DISPLAY": ":4711"}, {"WAYLAND_DISPLAY": "wayland-4711"}, display.environment]
        answers.append(await zenity.show(QUESTION, displays=candidates))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show)
        await display.window(TITLE)
        await display.press("Return")
    assert answers == [Answer.DECLINED]
    assert "no dialog on :4711" in caplog.text
    assert "no dialog on wayland-4711" in caplog.text


async def test_no_display_is_told_from_declined_and_the_log_says_why(caplog):
    assert await zenity.show(QUESTION, displays=[{"DISPLAY": ":4711"}]) is Answer.NOT_SHOWN
    assert "open display" in caplog.text


async def test_hostile_text_stays_text_and_inside_the_screen(display, tmp_path):
    hostile = (
        '<b>bold</b> &amp; \\n\\u0041 %s "\n\r\t\x1b[31m \u202eRTL\u202c \u200b\u2028\u2066 שלום Z\u0301\u0302\u0303'
    )
    values = [hostile, hostile + "A" * 10_000, "W" * 10_000, "שלום " * 2000, "界" * 10_000, "--help"]
    question = attrs.evolve(WITH_SESSION, fields=tuple(("For", value) for value in values))

    async def look(screen: Display, window: str) -> None:
        width, height = await screen.size(window)
        assert width <= 1280
        assert height <= 800
        await trio.sleep(0.3)
        await screen.screenshot(str(tmp_path / "hostile.png"))
        await screen.press("Return")

    assert await ask(question, display, look) is Answer.DECLINED


async def test_sh_logs_nothing_of_what_a_dialog_says(display, caplog):
    caplog.set_level(logging.DEBUG)
    await ask(QUESTION, display, press("Return"))
    assert "github" not in caplog.text


async def test_a_dialog_dies_with_a_daemon_that_is_killed(display):
    daemon = textwrap.dedent(f"""
        import trio
        from litterbox.confirm import zenity
        from litterbox.confirm.question import Question
        question = Question(box="work", asks="x", fields=(), request=b"")
        trio.run(lambda: zenity.show(question, displays=[{display.environment!r}]))
    """)
    async with trio.open_nursery() as nursery:
        process = await nursery.start(partial(trio.run_process, [sys.executable, "-c", daemon], check=False))
        await display.window(TITLE)
        # Longer than trio keeps an idle worker thread (10 s): the signal must not come when such a thread ends.
        await trio.sleep(11)
        [dialog] = zenity_children(process.pid)
        dialog_end = os.pidfd_open(int(dialog))
        process.kill()
        with trio.fail_after(5):
            await trio.lowlevel.wait_readable(dialog_end)
        os.close(dialog_end)
    await display.no_window(TITLE)
