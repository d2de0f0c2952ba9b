"""The person at the display: reads a dialog and presses its buttons by keyboard; for tests without an event loop."""

import attrs
import trio

from support.dialog import APPROVE, DECLINE, SESSION, dialog
from support.display import Display

_LONG_ENOUGH = 20.0  # seconds


@attrs.frozen
class Person:
    """`display` is the screen they sit at. `box` is whose window they answer, None for `litterbox agent`."""

    display: Display

    def approve(self, box: str | None, *, screenshot: str | None = None, within: float = _LONG_ENOUGH) -> str:
        """Press "Allow once" in the next window, which comes `within` so many seconds; return what it said."""
        return trio.run(self._choose, box, APPROVE, screenshot, within)

    def approve_for_session(self, box: str | None, *, screenshot: str | None = None) -> str:
        return trio.run(self._choose, box, SESSION, screenshot, _LONG_ENOUGH)

    def decline(self, box: str | None, *, screenshot: str | None = None) -> str:
        return trio.run(self._choose, box, DECLINE, screenshot, _LONG_ENOUGH)

    def sees_nothing(self, box: str | None) -> bool:
        return trio.run(self.display.windows, _title(box)) == []

    async def _choose(self, box: str | None, label: str, screenshot: str | None, within: float) -> str:
        shown = await dialog(self.display, _title(box), within=within)
        if screenshot:
            await trio.sleep(0.3)  # until it is drawn
            await self.display.screenshot(screenshot)
        await shown.choose(label)
        await shown.gone()
        return shown.text


def _title(box: str | None) -> str:
    return "Litterbox agent" if box is None else f"Litterbox: {box}"
