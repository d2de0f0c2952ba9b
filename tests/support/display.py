"""A virtual display (Xvfb) and the hands and eyes of its user (xdotool, scrot), for tests of real windows."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

_LONG_ENOUGH = 20.0  # seconds; a window takes half of one on an idle machine


@attrs.frozen
class Display:
    """A display, as the environment that leads to it."""

    environment: dict[str, str]

    async def window(self, title: str, *, within: float = _LONG_ENOUGH) -> str:
        """Wait for a visible window whose title contains `title`; return its id. It gets the keyboard."""
        with trio.fail_after(within):
            while not (windows := await self.windows(title)):
                await trio.sleep(0.02)
        await self._xdotool("windowfocus", "--sync", windows[0])
        return windows[0]

    async def windows(self, title: str) -> list[str]:
        return (await self._xdotool("search", "--onlyvisible", "--name", title)).split()

    async def no_window(self, title: str) -> None:
        """Wait until no visible window has `title` in its title."""
        with trio.fail_after(_LONG_ENOUGH):
            while await self.windows(title):
                await trio.sleep(0.02)

    async def press(self, *keys: str) -> None:
        """Type keys, by their X names: "Return", "Escape", "Tab", "alt+a"."""
        for key in keys:
            await self._xdotool("key", "--clearmodifiers", key)

    async def click(self, window: str, x: int, y: int) -> None:
        """Click at a place in the window, from its upper left corner."""
        await self._xdotool("mousemove", "--sync", "--window", window, str(x), str(y), "click", "1")

    async def size(self, window: str) -> tuple[int, int]:
        geometry = await self._xdotool("getwindowgeometry", "--shell", window)
        values = dict(line.split("=") for line in geometry.split())
        return int(values["WIDTH"]), int(values["HEIGHT"])

    async def screenshot(self, path: str) -> None:
        await trio.run_process(["scrot", "--overwrite", path], env={**os.environ, **self.environment})

    async def _xdotool(self, *arguments: str) -> str:
        done = await trio.run_process(
            ["xdotool", *arguments],
            env={**os.environ, **self.environment},
            capture_stdout=True,
            capture_stderr=True,
            check=False,  # "search" fails where it finds nothing
        )
        return done.stdout.decode()


@contextmanager
def virtual_display(size: str = "1280x800x24") -> Iterator[Display]:
    """Run Xvfb for the length of the block, on a display number that it chooses."""
    reading, writing = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        size,
        "-nolisten",
        "tcp",
        "-noreset",
    ]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as numbers:
                number = numbers.readline().strip()
            assert number, "Xvfb did not start"
            yield Display({"DISPLAY": f":{number}"})
        finally:
            server.terminate()
