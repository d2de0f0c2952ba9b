"""A virtual display (Xvfb) and the hands and eyes of its user (xdotool, scrot), for tests of real windows."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

_LONG_ENOUGH = 20.0  # seconds; a window takes half of one on an idle machine
# Seconds between two looks at the screen. Each look starts a program, which takes processor time from what is awaited.
POLL_INTERVAL = 0.1


@attrs.frozen
class Display:
    """A display, as the environment that leads to it."""

    environment: dict[str, str]

    async def window(self, title: str, *, within: float = _LONG_ENOUGH) -> str:
        """Wait for a visible window whose title contains `title`; return its id. It gets the keyboard."""
        with trio.fail_after(within):
            while not (windows := await self.windows(title)):
                await trio.sleep(POLL_INTERVAL)
        await self.focus(windows[0])
        return windows[0]

    async def windows(self, title: str) -> list[str]:
        return (await self._xdotool("search", "--onlyvisible", "--name", title)).split()

    async def no_window(self, title: str) -> None:
        """Wait until no visible window has `title` in its title."""
        with trio.fail_after(_LONG_ENOUGH):
            while await self.windows(title):
                await trio.sleep(POLL_INTERVAL)

    async def focus(self, window: str) -> None:
        """Give the window the keyboard."""
        await self._xdotool("windowfocus", "--sync", window)

    async def press(self, *keys: str) -> None:
        """Type keys, by their X names: "Return", "Escape", "Tab", "alt+a"."""
        for key in keys:
            await self._xdotool("key", "--clearmodifiers", key)

    async def click(self, window: str, x: int, y: int) -> None:
        """Click at a place in the window, from its upper left corner."""
        await self._xdotool("mousemove", "--sync", "--window", window, str(x), str(y), "click", "1")

    async def close(self, window: str) -> None:
        """Ask the window to close, as a click on the cross in its title bar does."""
        await trio.to_thread.run_sync(_ask_to_close, self.environment["DISPLAY"], int(window))

    async def destroy(self, window: str) -> None:
        """Destroy the window over its program's head, as any program on the display may."""
        await self._xdotool("windowclose", window)

    async def move(self, window: str, x: int, y: int) -> None:
        """Put the window's upper left corner there."""
        await self._xdotool("windowmove", "--sync", window, str(x), str(y))

    async def size(self, window: str) -> tuple[int, int]:
        _x, _y, width, height = await self.place(window)
        return width, height

    async def place(self, window: str) -> tuple[int, int, int, int]:
        """The window's left and upper edge on the screen, its width and height, in pixels."""
        geometry = await self._xdotool("getwindowgeometry", "--shell", window)
        values = dict(line.split("=") for line in geometry.split())
        return int(values["X"]), int(values["Y"]), int(values["WIDTH"]), int(values["HEIGHT"])

    async def words(self, window: str) -> list[str]:
        """The command line of the program that the window belongs to; empty where it is gone by now."""
        pid = (await self._xdotool("getwindowpid", window)).strip()
        try:
            with open(f"/proc/{pid or 'none'}/cmdline", "rb") as file:  # noqa: ASYNC230 - a line of procfs
                return file.read().decode().split("\0")[:-1]
        except OSError:
            return []

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


class _ClientMessage(ctypes.Structure):
    """XClientMessageEvent of Xlib.h, as long as its XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 12),
    )


_CLIENT_MESSAGE = 33  # X.h


def _ask_to_close(name: str, window: int) -> None:
    """Send WM_DELETE_WINDOW (ICCCM 4.2.8.1), which xdotool leaves to a window manager."""
    xlib = ctypes.CDLL("libX11.so.6")
    xlib.XOpenDisplay.restype = ctypes.c_void_p
    xlib.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(xlib.XOpenDisplay(name.encode()))
    assert display.value, f"no display {name}"
    protocols, delete = (xlib.XInternAtom(display, atom, False) for atom in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    data = (ctypes.c_long * 5)(delete)
    message = _ClientMessage(type=_CLIENT_MESSAGE, window=window, message_type=protocols, format=32, data=data)
    xlib.XSendEvent(display, ctypes.c_ulong(window), False, ctypes.c_long(0), ctypes.byref(message))
    xlib.XCloseDisplay(display)
