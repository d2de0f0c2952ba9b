"""The row of the dialog: the time from a sign request to its window on a real X server, beside zenity by itself."""

import ctypes
import os
import select
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from agent_client import key_of, login, sign_request
from measure_agent import ADDED, ED25519, LITTERBOX, desk, serving
from programs import say
from rows import Row, told

WINDOWS = 15  # of each kind, alternating, after a warm-up
LONG_ENOUGH = 30  # seconds

_SUBSTRUCTURE_NOTIFY = 1 << 19  # X.h
_MAP_NOTIFY = 19

# What Litterbox gives its zenity, so that both start alike.
_LIKE_OURS = {
    "GSK_RENDERER": "cairo",
    "GDK_BACKEND": "x11",
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
    "GTK_A11Y": "none",
}


class _MapEvent(ctypes.Structure):
    """XMapEvent of Xlib.h, as long as its XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("event", ctypes.c_ulong),
        ("window", ctypes.c_ulong),
        ("override_redirect", ctypes.c_int),
        ("padding", ctypes.c_long * 24),
    )


class Watcher:
    """A client of the X server that is told of every window on the screen."""

    def __init__(self, name: str) -> None:
        self._xlib = ctypes.CDLL("libX11.so.6")
        self._xlib.XOpenDisplay.restype = ctypes.c_void_p
        self._xlib.XDefaultRootWindow.restype = ctypes.c_ulong
        self._display = ctypes.c_void_p(self._xlib.XOpenDisplay(name.encode()))
        assert self._display.value, f"no display {name}"
        root = ctypes.c_ulong(self._xlib.XDefaultRootWindow(self._display))
        self._xlib.XSelectInput(self._display, root, ctypes.c_long(_SUBSTRUCTURE_NOTIFY))
        self._xlib.XFlush(self._display)

    def next_window(self) -> int:
        """Wait until a window is mapped."""
        deadline = time.monotonic() + LONG_ENOUGH
        event = _MapEvent()
        while True:
            while self._xlib.XPending(self._display):
                self._xlib.XNextEvent(self._display, ctypes.byref(event))
                if event.type == _MAP_NOTIFY and not event.override_redirect:
                    return event.window
            left = deadline - time.monotonic()
            assert left > 0, "no window came"
            select.select([self._xlib.XConnectionNumber(self._display)], [], [], left)

    def end(self, window: int) -> None:
        """Have its program lose the display: for our agent the dialog was not shown, so no pause follows."""
        self._xlib.XKillClient(self._display, ctypes.c_ulong(window))
        self._xlib.XSync(self._display, 0)


def measure_window() -> list[Row]:
    with desk() as folder, display() as name, agent(folder, name) as path:
        say(f"waiting for {WINDOWS} windows of the agent's and as many of zenity's, in turn")
        watcher = Watcher(name)
        key = key_of(os.path.join(folder, f"{ED25519.file}.pub"))
        ours, theirs = [], []
        for number in range(WINDOWS + 1):
            taken = asked_by_the_agent(watcher, path, key), by_itself(watcher, name)
            if number:
                ours.append(taken[0])
                theirs.append(taken[1])
    agents, zenitys = (statistics.median(times) * 1000 for times in (ours, theirs))
    details = f"`zenity --question` by itself: {zenitys:.0f} ms (medians of {WINDOWS}, Xvfb)"
    return [told("from a sign request to its window, in ms", f"{agents:.0f}", details)]


def asked_by_the_agent(watcher: Watcher, path: str, key: bytes) -> float:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LONG_ENOUGH)
        client.connect(path)
        start = time.perf_counter()
        client.sendall(sign_request(key, login(key)))
        window = watcher.next_window()
        taken = time.perf_counter() - start
        watcher.end(window)
        assert client.recv(5) == b"\0\0\0\1\5", "the agent signed what nobody approved"
    return taken


def by_itself(watcher: Watcher, display_name: str) -> float:
    command = ["zenity", "--question", "--no-markup", "--default-cancel", "--width=680", "--text=Sign?"]
    start = time.perf_counter()
    with subprocess.Popen(command, env=os.environ | _LIKE_OURS | {"DISPLAY": display_name}, stderr=subprocess.DEVNULL):
        window = watcher.next_window()
        taken = time.perf_counter() - start
        watcher.end(window)
    return taken


@contextmanager
def display() -> Iterator[str]:
    """An X server without a screen; its name, ":7"."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as numbers:
                number = numbers.readline().strip()
            assert number, "Xvfb did not start"
            yield f":{number}"
        finally:
            server.terminate()


@contextmanager
def agent(folder: str, display_name: str) -> Iterator[str]:
    """Our agent with a key of the store, asking on the display; the path of its socket."""
    path = os.path.join(folder, f"{ADDED}.sock")
    os.environ["DISPLAY"] = display_name
    with serving([*LITTERBOX, "agent", "--socket", path, f"--key={ED25519.name}"]):
        yield path
