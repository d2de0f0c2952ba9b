"""A desktop without a screen: a session bus, and dunst as its notification service on a virtual display."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import attrs

from support.display import Display

_LONG_ENOUGH = 20.0  # seconds


@attrs.frozen
class Desktop:
    """`environment` leads its programs to the display and the bus; `service` is dunst."""

    environment: dict[str, str]
    service: subprocess.Popen

    @property
    def bus(self) -> str:
        return self.environment["DBUS_SESSION_BUS_ADDRESS"]

    def displayed(self) -> list[dict]:
        """The notifications that were shown and closed so far, the newest first, as dunst has them in its history."""
        [history] = json.loads(self._dunstctl("history"))["data"]
        return [{key: value["data"] for key, value in entry.items()} for entry in history]

    def count(self) -> int:
        """How many are on the screen."""
        return int(self._dunstctl("count", "displayed"))

    def choose(self) -> None:
        """Click on the newest one: dunst takes its only, or its default, action."""
        self._dunstctl("action", "0")

    def close_all(self) -> None:
        self._dunstctl("close-all")

    def _dunstctl(self, *words: str) -> str:
        return subprocess.run(
            ["dunstctl", *words], env=os.environ | self.environment, capture_output=True, text=True, check=True
        ).stdout


@contextmanager
def desktop(display: Display) -> Iterator[Desktop]:
    """Run a bus and dunst for the length of the block."""
    with ExitStack() as stack:
        bus = stack.enter_context(
            running(["dbus-daemon", "--session", "--nofork", "--print-address=1"], stdout=subprocess.PIPE)
        )
        address = bus.stdout.readline().decode().strip().partition(",")[0]
        environment = {**display.environment, "DBUS_SESSION_BUS_ADDRESS": address}
        dunst = stack.enter_context(running(["dunst", "-config", "/dev/null"], env=os.environ | environment))
        found = Desktop(environment, dunst)
        deadline = time.monotonic() + _LONG_ENOUGH
        while not _is_served(environment):
            assert time.monotonic() < deadline, "dunst did not start"
            time.sleep(0.05)
        yield found


@contextmanager
def running(command: list[str], **options: object) -> Iterator[subprocess.Popen]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        finally:
            process.terminate()


def _is_served(environment: dict[str, str]) -> bool:
    question = ("org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.Notifications")
    asked = subprocess.run(
        ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", *question],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "boolean true" in asked.stdout
