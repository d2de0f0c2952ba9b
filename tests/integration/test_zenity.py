"""The process behind a dialog, a real zenity: where it shows, how it ends, and that nothing of it is left."""

import logging
import os
import subprocess
import sys
import textwrap
from functools import partial

import trio
from support.dialog import Dialog, answer
from support.display import Display

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Question

TITLE = "Litterbox: work"
QUESTION = Question(
    box="work",
    action="sign with an SSH key of yours",
    fields=(("Key", "github (ssh-ed25519)"), ("For", 'a git commit or tag (namespace "git")')),
    request=b"sign",
)


def zenity_children(parent: int) -> list[str]:
    command = ["pgrep", "-x", "zenity", "-P", str(parent)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.split()


async def test_a_display_that_goes_away_is_no_approval():
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-noreset"]
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            partial(trio.run_process, command, check=False, pass_fds=[writing], stderr=subprocess.DEVNULL)
        )
        await trio.lowlevel.wait_readable(reading)
        screen = Display({"DISPLAY": f":{os.read(reading, 16).decode().strip()}"})

        async def unplug(_dialog: Dialog) -> None:
            server.kill()

        assert await answer(QUESTION, screen, unplug) is Answer.NOT_SHOWN
    os.close(reading)
    os.close(writing)


async def test_a_cancelled_dialog_is_gone_at_once(display):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: zenity.show(QUESTION, displays=[display.environment]))
        await display.window(TITLE)
        nursery.cancel_scope.cancel()
        cancelled = trio.current_time()
    assert trio.current_time() - cancelled < 5  # about 10 ms on an idle machine
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


async def test_sh_logs_nothing_of_what_a_dialog_says(display, caplog):
    caplog.set_level(logging.DEBUG)
    await answer(QUESTION, display, lambda dialog: dialog.press("Return"))
    assert "github" not in caplog.text


async def test_a_dialog_dies_with_a_daemon_that_is_killed(display):
    daemon = textwrap.dedent(f"""
        import trio
        from litterbox.confirm import zenity
        from litterbox.confirm.question import Question
        question = Question(box="work", action="x", fields=(), request=b"")
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
