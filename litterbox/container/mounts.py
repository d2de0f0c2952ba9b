"""What of the host is mounted into a box: exactly the list of docs/design.md, "Mounts", and no more."""

import csv
import io
import os

import attrs

from litterbox import paths
from litterbox.container import lookup
from litterbox.settings.box_settings import Settings

RUNTIME_TARGET = "/litterbox-runtime"
BOX_HOME = "/home/user"
PIPEWIRE_TARGET = "/tmp/pipewire-0"  # noqa: S108 - inside the box
WAYLAND_DISPLAY = "wayland-0"  # in the box, whatever it is called on the host


@attrs.frozen(kw_only=True)
class Mount:
    """One bind mount: a host path, a path in the box, and whether the box may write.

    What it holds is never run as setuid and never a device: the box could have made it, or may make it.
    """

    source: str
    target: str
    read_only: bool = True

    def argument(self) -> str:
        """The value of `--mount`: CSV, so that a comma in a path stays in the path."""
        fields = ["type=bind", f"src={self.source}", f"dst={self.target}"]
        if self.read_only:
            fields.append("ro=true")
        return _csv_line([*fields, "nosuid", "nodev"])


def mounts(name: str, settings: Settings) -> list[Mount]:
    """Everything of the host that the box sees; what is of `lookup`, only until any code runs in it.

    Raises HostError where the runtime folder cannot be used.
    """
    bundle = os.path.join(paths.runtime_bundles(), "current")
    runtime = user_runtime_in_box()
    listed = [
        Mount(source=os.path.join(bundle, "litterbox"), target="/litterbox"),
        Mount(source=bundle, target=RUNTIME_TARGET),
        Mount(source=paths.session_lock(name), target="/session.lock"),
        Mount(source=paths.home(name), target=BOX_HOME, read_only=False),
        Mount(source=paths.sockets(name), target=f"{runtime}/litterbox"),
        *(Mount(source=source, target=target) for source, target in lookup.mounts().items()),
    ]
    if settings.wayland:
        listed.append(Mount(source=wayland_socket(), target=wayland_target()))
    if settings.pipewire:
        listed.append(Mount(source=pipewire_socket(), target=PIPEWIRE_TARGET))
    return listed


def user_runtime_in_box() -> str:
    """XDG_RUNTIME_DIR of the box's user."""
    return f"/run/user/{os.getuid()}"


def wayland_socket() -> str:
    """The compositor's socket, as libwayland finds it."""
    return os.path.join(paths.user_runtime(), os.environ.get("WAYLAND_DISPLAY") or WAYLAND_DISPLAY)


def wayland_target() -> str:
    return f"{user_runtime_in_box()}/{WAYLAND_DISPLAY}"


def pipewire_socket() -> str:
    return os.path.join(paths.user_runtime(), "pipewire-0")


def _csv_line(fields: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
