"""The displays that logins handed over, newest first: a first entry over ssh does not doom the rest."""

import os
from collections.abc import Mapping

from litterbox.control.client import DISPLAY_VARIABLES

MAX_LOGINS = 8  # logins remembered; more are older ones that the newer replaced
_MAX_VALUE_LENGTH = 4096


class Displays:
    """What `enter` processes said of their desktops, each a small environment, the newest first."""

    def __init__(self) -> None:
        self._known: list[dict[str, str]] = []

    def add(self, variables: Mapping[str, str]) -> None:
        """Remember a login's variables; what is not short, or has another name, is dropped."""
        display = {
            name: value
            for name in DISPLAY_VARIABLES
            if (value := variables.get(name)) and len(value) <= _MAX_VALUE_LENGTH
        }
        if not {"DISPLAY", "WAYLAND_DISPLAY"} & display.keys():
            return
        self._known = [display, *(known for known in self._known if known != display)][:MAX_LOGINS]

    def newest_first(self) -> list[dict[str, str]]:
        return list(self._known)

    def buses(self) -> list[str]:
        """The D-Bus addresses of the logins, the newest first."""
        addresses = [known["DBUS_SESSION_BUS_ADDRESS"] for known in self._known if "DBUS_SESSION_BUS_ADDRESS" in known]
        return list(dict.fromkeys(addresses))


def environment_on(display: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program of the user's on that display: the daemon's own, which may be of another login."""
    own = {name: value for name, value in os.environ.items() if name not in DISPLAY_VARIABLES}
    return {**own, **display}
