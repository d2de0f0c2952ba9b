"""A desktop that opens links: a session bus, with a portal or without, and a handler that writes the links down."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import attrs

from support.desktop import running
from support.display import Display
from support.user import alive

HANDLED = ("http", "https", "mailto")

_HANDLER = """\
#!/bin/sh
printf '%s %s\\n' $$ "$1" >>'{folder}/opened'
[ ! -e '{folder}/stays' ] || exec sleep 1000
"""
_ENTRY = """\
[Desktop Entry]
Type=Application
Name=Recorder
Exec={folder}/handler %u
MimeType={types};
"""
_BUS_WITHOUT_SERVICES = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""


@attrs.frozen
class LinkDesktop:
    """`environment` leads programs to it. Its handler is a browser: it ends at once, or stays, as `stay` says."""

    folder: str
    environment: dict[str, str]

    @property
    def opened(self) -> list[str]:
        """The links that reached the handler, the oldest first."""
        return [link for _pid, link in self._records()]

    def stay(self) -> None:
        """From now on the handler runs until it is ended."""
        with open(f"{self.folder}/stays", "w"):
            pass

    @property
    def running(self) -> list[int]:
        """The handlers that run."""
        return [pid for pid, _link in self._records() if alive(pid)]

    def end_handlers(self) -> None:
        for pid in self.running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def portal(self) -> int:
        """The process of the portal."""
        question = ("org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.portal.Desktop")
        asked = subprocess.run(
            ["dbus-send", "--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/", *question],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return int(asked.stdout.split()[-1])

    def _records(self) -> list[tuple[int, str]]:
        try:
            with open(f"{self.folder}/opened") as file:
                return [(int(pid), link) for pid, _space, link in (line.rstrip("\n").partition(" ") for line in file)]
        except FileNotFoundError:
            return []


@contextmanager
def link_desktop(display: Display, folder: str, *, portal: bool) -> Iterator[LinkDesktop]:
    """Run a bus for the length of the block, which with `portal` starts the real portal when it is called."""
    environment = {**display.environment, **_registered(folder)}
    with ExitStack() as stack:
        configuration = "--session" if portal else f"--config-file={folder}/bus.conf"
        bus = stack.enter_context(
            running(
                ["dbus-daemon", configuration, "--nofork", "--print-address=1"],
                stdout=subprocess.PIPE,
                env=os.environ | environment,
            )
        )
        address = bus.stdout.readline().decode().strip().partition(",")[0]
        found = LinkDesktop(folder, {**environment, "DBUS_SESSION_BUS_ADDRESS": address})
        stack.callback(found.end_handlers)
        yield found


def _registered(folder: str) -> dict[str, str]:
    """Make the handler the desktop's own for links; the variables that say so."""
    types = [f"x-scheme-handler/{scheme}" for scheme in HANDLED]
    defaults = "\n".join(f"{kind}=recorder.desktop" for kind in types)
    for path, content in {
        "handler": _HANDLER.format(folder=folder),
        "bus.conf": _BUS_WITHOUT_SERVICES,
        "data/applications/recorder.desktop": _ENTRY.format(folder=folder, types=";".join(types)),
        "config/mimeapps.list": f"[Default Applications]\n{defaults}\n",
        "config/xdg-desktop-portal/portals.conf": "[preferred]\ndefault=gtk\n",
    }.items():
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "w") as file:
            file.write(content)
    os.chmod(f"{folder}/handler", 0o755)
    # Not XDG_DATA_HOME and XDG_CONFIG_HOME, where Podman has its images and its settings.
    return {"XDG_DATA_DIRS": f"{folder}/data:/usr/share", "XDG_CONFIG_DIRS": f"{folder}/config:/etc/xdg"}
