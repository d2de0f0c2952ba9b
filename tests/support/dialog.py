"""A dialog on a display, as the person before it sees it: what it says, and its buttons to press or click."""

import functools
import os
import subprocess
from collections.abc import Awaitable, Callable

import attrs
import trio

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Question
from support.display import POLL_INTERVAL, Display

APPROVE, SESSION, DECLINE = "Allow once", "Allow … until the … stops", "Decline"  # what a button is for

_LONG_ENOUGH = 20.0  # seconds; a window takes half of one on an idle machine
_SETTLED = 0.5  # seconds that GTK takes at most from mapping a window to taking its keys and clicks


@attrs.frozen
class Dialog:
    """A zenity window; `words` is the command line that says what is in it."""

    display: Display
    window: str
    words: list[str]

    @property
    def text(self) -> str:
        """What it says, without the characters that only keep its lines together."""
        [text] = self._values("--text")
        return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{LEFT-TO-RIGHT MARK}", "")

    @property
    def buttons(self) -> set[str]:
        return set(self._row())

    @property
    def labels(self) -> set[str]:
        """The words on its buttons."""
        return {*self._values("--ok-label"), *self._values("--cancel-label"), *self._values("--extra-button")}

    async def press(self, *keys: str) -> None:
        """Type, by the X names of keys, once the window takes them."""
        await trio.sleep(_SETTLED)
        await self.display.focus(self.window)
        await self.display.press(*keys)

    async def choose(self, label: str) -> None:
        """Press the button by keyboard, from "Decline", which has the focus; not before an approval is taken."""
        tabs = [DECLINE, *self._ring()].index(label)
        if label != DECLINE:
            await trio.sleep(zenity.MIN_READING_TIME)
        await self.press(*["Tab"] * tabs, "Return")

    async def click(self, label: str) -> None:
        """Press the button by mouse; not before an approval is taken."""
        if label != DECLINE:
            await trio.sleep(zenity.MIN_READING_TIME)
        await self.click_at_once(label)

    async def click_at_once(self, label: str) -> None:
        """Press the button by mouse as soon as the window takes clicks."""
        width, height = await self.display.size(self.window)
        row = self._row()
        place = row.index(label)
        await trio.sleep(_SETTLED)
        if self._is_stacked():
            x, y = width // 2, height - 52 - 53 * (len(row) - 1 - place)
        elif _version() == 3:  # as wide as the widest label asks for, at the right
            ok, extra = self._values("--ok-label"), self._values("--extra-button")
            pitch = 135 if max(map(len, [*ok, *extra])) <= len(APPROVE) else (width - 46) // len(row)
            x, y = width - 23 - pitch * (len(row) - 1 - place) - pitch // 2, height - 25
        else:  # all of the width
            pitch = (width - 46) // len(row)
            x, y = width - 23 - pitch * (len(row) - 1 - place) - pitch // 2, height - 52
        await self.display.click(self.window, x, y)

    async def gone(self) -> None:
        """Wait until it is no longer on screen."""
        with trio.fail_after(_LONG_ENOUGH):
            while await self.display.words(self.window):
                await trio.sleep(POLL_INTERVAL)

    def _row(self) -> list[str]:
        """The buttons from left to right, or from the top to the bottom where they are stacked."""
        ok, extra = self._purposes()
        if self._is_stacked():
            return [*extra, *ok, DECLINE]
        return [*extra, DECLINE, *ok] if _version() == 3 else [DECLINE, *ok, *extra]

    def _ring(self) -> list[str]:
        """Where the focus goes from "Decline"; zenity 3 lets the text have it too."""
        ok, extra = self._purposes()
        if self._is_stacked():
            return [*extra, *ok]
        return [*ok, "the text", *extra] if _version() == 3 else [*ok, *extra]

    def _is_stacked(self) -> bool:
        """Whether zenity 4 puts the buttons one below the other, as it does where their words fill more than a row."""
        return _version() == 4 and bool(self._values("--extra-button"))

    def _purposes(self) -> tuple[list[str], list[str]]:
        """What the two buttons that approve are for, as far as they are there."""
        ok, extra = self._values("--ok-label"), self._values("--extra-button")
        return [APPROVE if label == APPROVE else SESSION for label in ok], [SESSION for _label in extra]

    def _values(self, option: str) -> list[str]:
        return [word.removeprefix(f"{option}=") for word in self.words if word.startswith(f"{option}=")]


async def dialog(display: Display, title: str, *, saying: str = "", within: float = _LONG_ENOUGH) -> Dialog:
    """Wait for the dialog with that title that says `saying`."""
    with trio.fail_after(within):
        while True:
            for window in await display.windows(title):
                found = Dialog(display, window, await display.words(window))
                if found.words and saying in found.text:
                    return found
            await trio.sleep(POLL_INTERVAL)


async def answer(
    question: Question, display: Display, person: Callable[[Dialog], Awaitable[None]], **options: float
) -> Answer:
    """Show the question, have `person` see to its dialog; return what came of it."""
    answers = []

    async def show() -> None:
        answers.append(await zenity.show(question, displays=[display.environment], **options))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(show)
        await person(await dialog(display, "Litterbox"))
    return answers[0]


async def picture(dialog: Dialog, name: str) -> None:
    """Leave a picture of the screen for human eyes, where the environment variable OUT names a folder for it."""
    if folder := os.environ.get("OUT"):
        await trio.sleep(_SETTLED)
        await dialog.display.screenshot(f"{folder}/{name}.png")


@functools.cache
def _version() -> int:
    """3 or 4; zenity 3 wants a display even to tell its version."""
    told = subprocess.run(["zenity", "--version"], check=False, capture_output=True, text=True).stdout
    return int(told.split(".")[0]) if told else 3
