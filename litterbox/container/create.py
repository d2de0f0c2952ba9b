"""The container of a box: its mounts (docs/design.md, "Mounts"), labels, environment and entrypoint, and no more."""

import contextlib
import json
import os

from litterbox import files, paths, sessions
from litterbox.container import hardening, lookup, namespace, network, podman, seccomp
from litterbox.container.mounts import (
    BOX_HOME,
    PIPEWIRE_TARGET,
    WAYLAND_DISPLAY,
    Mount,
    mounts,
    pipewire_socket,
    user_runtime_in_box,
    wayland_socket,
    wayland_target,
)
from litterbox.container.user import user_name
from litterbox.errors import HostError, LitterboxError, PodmanError
from litterbox.settings.box_settings import Settings

AGENT_LINK = "/tmp/ssh-agent.sock"  # noqa: S108 - the path inside the box that SSH_AUTH_SOCK names

_MAX_TOLD = 4  # differences that a sentence names one by one
_MAX_WORD = 160  # characters of one of them


def environment(name: str, settings: Settings) -> dict[str, str]:
    """The container's own environment; a session adds LITTERBOX_SESSION and its terminal's."""
    values = {
        "LITTERBOX_NAME": name,
        "LITTERBOX_UID": str(os.getuid()),
        "LITTERBOX_GID": str(os.getgid()),
        "LITTERBOX_USER": user_name(),
        "XDG_RUNTIME_DIR": user_runtime_in_box(),
        "SSH_AUTH_SOCK": AGENT_LINK,
    }
    if settings.wayland:
        values["WAYLAND_DISPLAY"] = WAYLAND_DISPLAY
    if settings.pipewire:
        values["PIPEWIRE_RUNTIME_DIR"] = os.path.dirname(PIPEWIRE_TARGET)
    return values


def options(name: str, settings: Settings, podman_version: tuple[int, ...]) -> list[str]:
    """The options of `podman create` for the box, without its name: what makes two containers the same.

    Raises HostError where the host lacks what they rest on.
    """
    profile, _content = seccomp.profile(nested=settings.nested)
    chosen = [
        f"--hostname={paths.container_name(name)}",
        f"--label={podman.LABEL}={name}",
        "--userns=keep-id",
        "--user=0:0",
        f"--network={network.option(settings, podman_version)}",
        "--no-hosts",  # Podman's would have the host's names; the entrypoint writes what a box needs
        f"--entrypoint={json.dumps(['/litterbox', 'wait'])}",
        "--stop-signal=SIGTERM",  # an image may ask for another
        "--no-healthcheck",
        "--image-volume=ignore",
        "--http-proxy=false",  # the host's proxy variables can hold a password
        f"--security-opt=seccomp={profile}",
        *hardening.options(settings),
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
    files.close_folder(paths.homes())  # a box sets the mode of its home itself, and makes setuid programs of the user's
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
    granted += [("pipewire", pipewire_socket())] if settings.pipewire else []
    for key, path in granted:
        if not os.path.exists(path):
            raise HostError(
                f"The settings of {name} grant {key}, but there is no socket {path}.",
                f"Build in a desktop session that has it, or set {key} = false in {paths.settings(name)}.",
            )


def check_sources(name: str) -> None:
    """Raise HostError where something that the container mounts is not there: Podman could not start it.

    Raises LitterboxError for a container of an earlier Litterbox, which could hold up every Podman command.
    """
    tables = (Mount(source=source, target=target) for source, target in lookup.mounts().items())
    if not {f"--mount={mount.argument()}" for mount in tables}.issubset(_made_with(name)):
        raise LitterboxError(
            f"The box {name} was made by an earlier Litterbox, without the protections of this one.",
            f"Make its container anew: litterbox build {name}",
        )
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
    seccomp.place()
    container = paths.container_name(name)
    making = name_while_made(name)
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


def name_while_made(name: str) -> str:
    """What the container is called until it takes the place of the old one; no box has such a name, with a dot."""
    return f"{paths.container_name(name)}.new"


def start(name: str) -> None:
    """Start the container. Before any code runs in it, its limits are written and its own user tables uncovered.

    Whether it may make user namespaces is what it was made with, whatever the settings say by now. Raises PodmanError,
    and HostError where that cannot be done; the container is stopped then.
    """
    container = paths.container_name(name)
    try:
        podman.run("init", container)
    except PodmanError:
        status = _inspect(name, "{{.State.Status}}")
        if status == "running":  # an entry that was cut short has started it just now; the limits came first
            return
        if status != "initialized":  # as an entry leaves it that was cut short here
            raise
    try:
        state, made_with = json.loads(_inspect(name, "[{{json .State}}, {{json .Config.CreateCommand}}]"))
        wanted = namespace.limits(nested=hardening.is_nested(made_with))
        namespace.limit(state["Pid"], state["ConmonPid"], wanted)
        lookup.uncover(state["Pid"])
        podman.run("start", container)
    except BaseException:
        with contextlib.suppress(PodmanError):  # the first error is the one to be read
            podman.run("stop", "--time=0", container)
        raise


def is_current(name: str, settings: Settings) -> bool:
    """Say whether the container exists, is made from the box's image as it is now, and exactly as would be now.

    A seccomp profile of the host's that changed, or another compositor's socket, makes it out of date too.
    """
    if not podman.exists("container", paths.container_name(name)):
        return False
    image = podman.run("image", "inspect", "--format", "{{.Id}}", paths.image_name(name)).strip()
    if _inspect(name, "{{.Image}}") != image:
        return False
    return not any(compare(_made_with(name), options(name, settings, podman.version())))


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


def compare(made_with: list[str], wanted: list[str]) -> tuple[set[str], set[str]]:
    """The options that only `wanted` has, and those that only `made_with` has, which is a whole `podman create`.

    Two containers are the same where both sets are empty: a permission that was taken back is a difference too.
    """
    made = {word for word in made_with if word.startswith("--")} - {"--replace"}
    made = {word for word in made if not word.startswith("--name=")}
    return set(wanted) - made, made - set(wanted)


def changed(made_with: list[str], wanted: list[str]) -> list[str]:
    """What `compare` finds, as words: ["--network=none is new", "--network=pasta is gone"]; many are only counted.

    A compositor's socket that merely has another name is left out: the name differs from login to login.
    """
    new, gone = ({_comparable(word) for word in found} for found in compare(made_with, wanted))
    told = [*(f"{_short(word)} is new" for word in sorted(new - gone))]
    told += [f"{_short(word)} is gone" for word in sorted(gone - new)]
    left = len(told) - _MAX_TOLD
    return told if left <= 1 else [*told[:_MAX_TOLD], f"and {left} more"]


def _short(word: str) -> str:
    return word if len(word) <= _MAX_WORD else f"{word[: _MAX_WORD - 3]}..."


def _comparable(option: str) -> str:
    """The option without the compositor's own name."""
    if f",dst={wayland_target()}," not in option:
        return option
    return ",".join(field for field in option.split(",") if not field.startswith("src="))


def _selinux_enforces() -> bool:
    try:
        with open("/sys/fs/selinux/enforce", encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return False
