"""The person at the display: reads a dialog's title and presses its buttons by keyboard."""

import attrs
import trio

from support.display import Display

_SETTLED = 0.3  # seconds that GTK takes from mapping a window to taking its keys


@attrs.frozen
class Person:
    """`display` is the screen they sit at."""

    display: Display

    def approve(self, box: str, *, screenshot: str | None = None, within: float = 20.0) -> None:
        """Press "Approve once" in the next window of `box`, which comes `within` so many seconds."""
        trio.run(self._press, box, ["shift+Tab", "Return"], screenshot, within)

    def approve_for_session(self, box: str) -> None:
        trio.run(self._press, box, ["Tab", "Return"], None, 20.0)

    def decline(self, box: str) -> None:
        trio.run(self._press, box, ["Return"], None, 20.0)

    def sees_nothing(self, box: str) -> bool:
        return trio.run(self.display.windows, f"Litterbox: {box}") == []

    async def _press(self, box: str, keys: list[str], screenshot: str | None, within: float) -> None:
        title = f"Litterbox: {box}"
        window = await self.display.window(title, within=within)
        await trio.sleep(_SETTLED)
        if screenshot:
            await self.display.screenshot(screenshot)
        await self.display.press(*keys)
        with trio.fail_after(20):
            while window in await self.display.windows(title):
                await trio.sleep(0.02)
