"""Building a box: its image from the definition, then its container, with Podman's own output on the way."""

import contextlib
import os
from collections.abc import Callable

from litterbox import locks, paths
from litterbox.container import base_images, create, define, podman, state
from litterbox.container.runtime import bundles
from litterbox.container.user import user_name
from litterbox.errors import DockerfileError, HostError, LitterboxError, NoSuchBox, PodmanError
from litterbox.settings import box_settings

LOCK_TIMEOUT = 120.0  # seconds for the enter lock, which an end of the box holds while Podman unmounts it


def build(
    name: str, *, rebuild: bool, report: Callable[[str], None], allow_onbuild: bool = False, http_proxy: bool = False
) -> None:
    """Build the image and put the container of the box in place; `rebuild` uses no cached layer.

    The old image and container stay until the new ones are complete; a container that is as it should be is
    not made anew. `allow_onbuild` lets base images run build steps of their own; `http_proxy` lets the build see the
    host's proxy variables. Raises LitterboxError while the box runs, and NoSuchBox where it was deleted meanwhile.
    `report` is told of what takes longer than a moment.
    """
    define.check_defined(name)
    chosen = box_settings.load(name)
    check_host()
    check_not_running(name)
    create.check_granted(name, chosen)
    bundles.ensure(report)
    text = base_images.pin(
        name, _dockerfile(name), arguments=build_arguments(), renew=rebuild, allow_onbuild=allow_onbuild
    )
    podman.show(*build_command(name, rebuild=rebuild, http_proxy=http_proxy), text=text)
    with locks.hold(paths.enter_lock(name), within=LOCK_TIMEOUT):
        _check_not_deleted(name)
        check_not_running(name)
        create.prepare_host_side(name)
        if not create.is_current(name, chosen):
            create.create(name, chosen)
    _remove_former_images(name)
    bundles.prune()


def build_command(name: str, *, rebuild: bool, http_proxy: bool) -> list[str]:
    """The arguments of `podman build`, which reads the Dockerfile from its standard input.

    The context is the box's own folder, so that COPY works and a build sees nothing of other boxes.
    """
    return [
        "build",
        *(["--no-cache", "--pull=newer"] if rebuild else ["--pull=missing"]),
        f"--http-proxy={str(http_proxy).lower()}",  # they can hold a password, and a step could keep them
        "--file=-",
        f"--tag={paths.image_name(name)}",
        f"--label={podman.LABEL}={name}",
        *(f"--build-arg={key}={value}" for key, value in build_arguments().items()),
        paths.build_context(name),
    ]


def build_arguments() -> dict[str, str]:
    """What a Dockerfile may declare with ARG: who the box's user is."""
    return {"USER": user_name(), "UID": str(os.getuid()), "GID": str(os.getgid())}


def _dockerfile(name: str) -> str:
    path = paths.dockerfile(name)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except OSError as error:
        raise DockerfileError(f"{path} cannot be read: {error.strerror}.") from error


def _check_not_deleted(name: str) -> None:
    """Raise NoSuchBox where `delete` came while the image was built. The caller holds the enter lock."""
    try:
        define.check_defined(name)
    except NoSuchBox:
        with contextlib.suppress(PodmanError):
            podman.run("image", "rm", paths.image_name(name), within=podman.STORAGE_TIMEOUT)
        os.unlink(paths.enter_lock(name))
        raise
    if not podman.exists("image", paths.image_name(name)):
        raise NoSuchBox(f"The box {name} was deleted while it was built.", f"Build it again: litterbox build {name}")


def _remove_former_images(name: str) -> None:
    """Remove what earlier builds of this box left without a name, except what a container still uses."""
    ours = ("--filter", f"label={podman.LABEL}={name}", "--filter", "dangling=true")
    for image_id in podman.run("images", "--quiet", "--no-trunc", *ours).split():
        with contextlib.suppress(PodmanError):  # a container uses it, or another image builds on it
            podman.run("image", "rm", image_id, within=podman.STORAGE_TIMEOUT)


def check_host() -> None:
    """Raise HostError where rootless Podman cannot make a box: it runs as root, or has no subordinate ids."""
    found = podman.info()
    if not found["rootless"]:
        raise HostError("Litterbox works with rootless Podman only, and this Podman is root's.", "Run it as yourself.")
    if found["uids"] <= 1:
        me = user_name()
        raise HostError(
            f"Podman has no subordinate ids for {me}: /etc/subuid and /etc/subgid have no line for this user.",
            f"As root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {me}"
            " - then, as yourself: podman system migrate",
        )


def check_not_running(name: str) -> None:
    if state.is_running(name):
        raise LitterboxError(f"The box {name} is running.", f"Stop it first: litterbox stop {name}")
