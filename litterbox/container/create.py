"""The container of a box: exactly the mounts, labels, environment and entrypoint of the design, and no more."""

import contextlib
import csv
import io
import json
import os

import attrs

from litterbox import files, paths, sessions
from litterbox.container import lookup, podman
from litterbox.container.settings import Settings, default_network
from litterbox.container.user import user_name
from litterbox.errors import HostError, LitterboxError

RUNTIME_TARGET = "/litterbox-runtime"
BOX_HOME = "/home/user"
AGENT_LINK = "/tmp/ssh-agent.sock"  # noqa: S108 - the path inside the box that SSH_AUTH_SOCK names
PIPEWIRE_TARGET = "/tmp/pipewire-0"  # noqa: S108 - inside the box


@attrs.frozen(kw_only=True)
class Mount:
    """One bind mount: a host path, a path in the box, and whether the box may write."""

    source: str
    target: str
    read_only: bool = True

    def argument(self) -> str:
        """The value of `--mount`: CSV, so that a comma in a path stays in the path."""
        fields = ["type=bind", f"src={self.source}", f"dst={self.target}"]
        if self.read_only:
            fields.append("ro=true")
        return _csv_line(fields)


def mounts(name: str, settings: Settings) -> list[Mount]:
    """Everything of the host that the box sees; what is of `lookup`, only while it starts.

    Raises HostError where the runtime folder cannot be used.
    """
    bundle = os.path.join(paths.runtime_bundles(), "current")
    runtime = f"/run/user/{os.getuid()}"
    listed = [
        Mount(source=os.path.join(bundle, "litterbox"), target="/litterbox"),
        Mount(source=bundle, target=RUNTIME_TARGET),
        Mount(source=paths.session_lock(name), target="/session.lock"),
        Mount(source=paths.home(name), target=BOX_HOME, read_only=False),
        Mount(source=paths.sockets(name), target=f"{runtime}/litterbox"),
        *(Mount(source=source, target=target) for source, target in lookup.mounts().items()),
    ]
    if settings.wayland:
        listed.append(Mount(source=wayland_socket(), target=f"{runtime}/wayland-0"))
    if settings.pipewire:
        listed.append(Mount(source=os.path.join(paths.user_runtime(), "pipewire-0"), target=PIPEWIRE_TARGET))
    return listed


def wayland_socket() -> str:
    """The compositor's socket, as libwayland finds it."""
    return os.path.join(paths.user_runtime(), os.environ.get("WAYLAND_DISPLAY") or "wayland-0")


def environment(name: str, settings: Settings) -> dict[str, str]:
    """The container's own environment; a session adds LITTERBOX_SESSION and its terminal's."""
    runtime = f"/run/user/{os.getuid()}"
    values = {
        "LITTERBOX_NAME": name,
        "LITTERBOX_UID": str(os.getuid()),
        "LITTERBOX_GID": str(os.getgid()),
        "LITTERBOX_USER": user_name(),
        "XDG_RUNTIME_DIR": runtime,
        "SSH_AUTH_SOCK": AGENT_LINK,
    }
    if settings.wayland:
        values["WAYLAND_DISPLAY"] = "wayland-0"
    if settings.pipewire:
        values["PIPEWIRE_RUNTIME_DIR"] = os.path.dirname(PIPEWIRE_TARGET)
    return values


def options(name: str, settings: Settings, podman_version: tuple[int, ...]) -> list[str]:
    """The options of `podman create` for the box, without its name: what makes two containers the same."""
    uid = os.getuid()
    chosen = [
        f"--hostname={paths.container_name(name)}",
        f"--label={podman.LABEL}={name}",
        "--userns=keep-id",
        "--user=0:0",
        f"--network={settings.network or default_network(podman_version)}",
        f"--entrypoint={json.dumps(['/litterbox', 'wait'])}",
        "--stop-signal=SIGTERM",  # an image may ask for another
        "--no-healthcheck",
        "--image-volume=ignore",
        "--http-proxy=false",  # the host's proxy variables can hold a password
        f"--mount=type=tmpfs,dst=/run/user/{uid},tmpfs-mode=0700",
    ]
    if _selinux_enforces():
        chosen.append("--security-opt=label=disable")
    chosen += [f"--mount={mount.argument()}" for mount in mounts(name, settings)]
    chosen += [f"--env={key}={value}" for key, value in environment(name, settings).items()]
    return chosen


def prepare_host_side(name: str) -> None:
    """Make what the mounts need before every start: home, session lock, tables, folder of sockets. Idempotent."""
    for folder in (paths.root(), os.path.dirname(paths.home(name)), paths.home(name), paths.sockets(name)):
        files.private_folder(folder)
    sessions.prepare(paths.session_lock(name))
    lookup.prepare()


def remove_sockets(name: str) -> None:
    """Remove what a daemon that is gone left in the folder of sockets, and its control socket."""
    folder = paths.sockets(name)
    left = [os.path.join(folder, entry) for entry in os.listdir(folder)] if os.path.isdir(folder) else []
    for path in (*left, paths.control_socket(name)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def check_granted(name: str, settings: Settings) -> None:
    """Raise HostError where a socket that the settings grant is not there, so that no container can be made with it."""
    granted = [("wayland", wayland_socket())] if settings.wayland else []
    granted += [("pipewire", os.path.join(paths.user_runtime(), "pipewire-0"))] if settings.pipewire else []
    for key, path in granted:
        if not os.path.exists(path):
            raise HostError(
                f"The settings of {name} grant {key}, but there is no socket {path}.",
                f"Build in a desktop session that has it, or set {key} = false in {paths.settings(name)}.",
            )


def check_sources(name: str) -> None:
    """Raise HostError where something that the container mounts is not there: Podman could not start it."""
    for source in json.loads(_inspect(name, "{{json .Mounts}}")):
        path = source.get("Source", "")
        if source.get("Type") == "bind" and not os.path.exists(path):
            raise HostError(
                f"The box {name} was made with {path}, which is not there.",
                f"Enter from a session that has it, or make the box anew: litterbox build {name}",
            )


def create(name: str, settings: Settings) -> None:
    """Make the container from the box's image, in place of an old one that is not running.

    The new one is made under another name first, so that the old one stays when Podman refuses.
    """
    check_ours(name)
    container = paths.container_name(name)
    making = f"{container}.new"  # no box can have this name: it holds a dot
    podman.run(
        "create",
        "--replace",
        f"--name={making}",
        *options(name, settings, podman.version()),
        paths.image_name(name),
        within=podman.STORAGE_TIMEOUT,
    )
    podman.run("rm", "--ignore", container, within=podman.STORAGE_TIMEOUT)
    podman.run("rename", making, container)


def is_current(name: str, settings: Settings) -> bool:
    """Say whether the container exists, is made from the box's image as it is now, and as the settings ask."""
    if not podman.exists("container", paths.container_name(name)):
        return False
    image = podman.run("image", "inspect", "--format", "{{.Id}}", paths.image_name(name)).strip()
    wanted = options(name, settings, podman.version())
    return _inspect(name, "{{.Image}}") == image and set(wanted) <= set(_made_with(name))


def check_ours(name: str) -> None:
    """Raise LitterboxError where the container is another ~/Litterbox's: all share Podman's names."""
    if not podman.exists("container", paths.container_name(name)):
        return
    homes = [
        mount["Source"] for mount in json.loads(_inspect(name, "{{json .Mounts}}")) if mount["Destination"] == BOX_HOME
    ]
    if homes and os.path.realpath(homes[0]) != os.path.realpath(paths.home(name)):
        raise LitterboxError(
            f"There is a box {name} of another LITTERBOX_ROOT: its home is {homes[0]}.", "Choose another name."
        )


def differences(name: str, settings: Settings) -> list[str]:
    """What the existing container has otherwise than the settings ask for, as words for the user."""
    return changed(_made_with(name), options(name, settings, podman.version()))


def _made_with(name: str) -> list[str]:
    """The command line that made the container, which Podman keeps."""
    words: list[str] = json.loads(_inspect(name, "{{json .Config.CreateCommand}}"))
    return words


def _inspect(name: str, template: str) -> str:
    return podman.run("container", "inspect", "--format", template, paths.container_name(name)).strip()


def changed(made_with: list[str], wanted: list[str]) -> list[str]:
    """Compare two `podman create` command lines, option by option: ["--network=none instead of --network=pasta"]."""
    made = {_comparable(word) for word in made_with if word.startswith("--")} - {"--replace"}
    asked = {_comparable(word) for word in wanted}
    gone = [word for word in made - asked if not word.startswith("--name=")]
    return [*(f"{word} is new" for word in sorted(asked - made)), *(f"{word} is gone" for word in sorted(gone))]


def _comparable(option: str) -> str:
    """The option without the compositor's own name, which differs from login to login."""
    if not option.endswith("/wayland-0,ro=true"):
        return option
    return ",".join(field for field in option.split(",") if not field.startswith("src="))


def _selinux_enforces() -> bool:
    try:
        with open("/sys/fs/selinux/enforce", encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return False


def _csv_line(fields: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
