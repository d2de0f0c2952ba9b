"""What a user's desktop has on its session bus: a notification service, and flatpak's session helper."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from measure_window import display

LONG_ENOUGH = 20.0  # seconds

FLATPAK_SPAWN = "/usr/libexec/flatpak-xdg-utils/flatpak-spawn"  # Debian's, beside PATH


@contextmanager
def session_bus() -> Iterator[None]:
    """A bus with dunst on it, for what is started in the block. It starts flatpak's helper when that is called."""
    with display() as name, _bus() as address:
        before = dict(os.environ)
        os.environ.update(DISPLAY=name, DBUS_SESSION_BUS_ADDRESS=address)
        try:
            command = ["dunst", "-config", os.devnull]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as dunst:
                try:
                    _wait_for_notifications()
                    yield
                finally:
                    dunst.terminate()
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def _bus() -> Iterator[str]:
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        try:
            yield bus.stdout.readline().strip().partition(",")[0]
        finally:
            bus.terminate()


def _wait_for_notifications() -> None:
    deadline = time.monotonic() + LONG_ENOUGH
    shown = [shutil.which("notify-send") or "notify-send", "--expire-time=1", "bench"]
    while subprocess.run(shown, capture_output=True, check=False).returncode != 0:
        if time.monotonic() > deadline:
            sys.exit("bench: dunst does not show notifications")
        time.sleep(0.05)
