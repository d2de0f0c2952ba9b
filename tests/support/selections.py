"""Desktops with a clipboard, as the user's other programs see them: sway without a screen, and an X server."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from support.display import virtual_display

TEXT = "text/plain;charset=utf-8"
_LONG_ENOUGH = 20.0  # seconds
_TOOLS = ("wl-copy", "wl-paste", "xclip")


@attrs.frozen
class Desktop:
    """`environment` leads a login's programs to it."""

    environment: dict[str, str]

    def copy(self, content: bytes, media_type: str = TEXT, *, primary: bool = False) -> None:
        """Copy as another program of the user's would."""
        if self._is_wayland:
            words = ["wl-copy", "--type", media_type, *(["--primary"] if primary else [])]
        else:
            target = "UTF8_STRING" if media_type == TEXT else media_type
            words = ["xclip", "-in", "-selection", "primary" if primary else "clipboard", "-target", target]
        subprocess.run(
            words,
            input=content,
            env=os.environ | self.environment,
            stdout=subprocess.DEVNULL,  # the server in the background keeps them open
            stderr=subprocess.DEVNULL,
            check=True,
        )
        self._settle(content, media_type, primary=primary)

    def _settle(self, content: bytes, media_type: str, *, primary: bool) -> None:
        """Xclip ends before the X server knows of what it has copied."""
        deadline = time.monotonic() + _LONG_ENOUGH
        while True:
            try:
                if self.paste(media_type, primary=primary) == content:
                    return
            except subprocess.CalledProcessError:
                pass
            assert time.monotonic() < deadline, "nothing was copied"
            time.sleep(0.02)

    def paste(self, media_type: str = TEXT, *, primary: bool = False) -> bytes:
        """What another program of the user's would paste."""
        if self._is_wayland:
            words = ["wl-paste", "--no-newline", "--type", media_type, *(["--primary"] if primary else [])]
        else:
            target = "UTF8_STRING" if media_type == TEXT else media_type
            words = ["xclip", "-out", "-selection", "primary" if primary else "clipboard", "-target", target]
        return subprocess.run(words, env=os.environ | self.environment, capture_output=True, check=True).stdout

    @property
    def _is_wayland(self) -> bool:
        return "WAYLAND_DISPLAY" in self.environment


@contextmanager
def wayland() -> Iterator[Desktop]:
    """Run sway for the length of the block, without a screen, in a runtime folder of its own."""
    runtime = tempfile.mkdtemp(prefix="sway-")
    environment = {
        **os.environ,
        "XDG_RUNTIME_DIR": runtime,
        "WLR_BACKENDS": "headless",
        "WLR_LIBINPUT_NO_DEVICES": "1",
        "WLR_RENDERER": "pixman",
    }
    environment.pop("WAYLAND_DISPLAY", None)
    environment.pop("DISPLAY", None)
    try:
        with subprocess.Popen(["sway", "--config", "/dev/null"], env=environment, stderr=subprocess.DEVNULL) as sway:
            try:
                yield Desktop({"WAYLAND_DISPLAY": _socket(runtime)})
            finally:
                sway.terminate()
    finally:
        shutil.rmtree(runtime)


def _socket(runtime: str) -> str:
    deadline = time.monotonic() + _LONG_ENOUGH
    while not (names := [name for name in os.listdir(runtime) if name.startswith("wayland-") and name[-1].isdigit()]):
        assert time.monotonic() < deadline, "sway did not start"
        time.sleep(0.05)
    return os.path.join(runtime, names[0])


@contextmanager
def x11() -> Iterator[Desktop]:
    with virtual_display() as display:
        yield Desktop(display.environment)


def tools_running() -> list[int]:
    """The processes of wl-clipboard and xclip, whoever started them, that have not ended."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                before, _, after = file.read().rpartition(")")
        except OSError:
            continue
        if before.partition("(")[2] in _TOOLS and after.split()[0] != "Z":
            found.append(int(pid))
    return found
