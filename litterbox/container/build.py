"""Building a box: its image from the definition, then its container, with Podman's own output on the way."""

import os
import pwd
from collections.abc import Callable

from litterbox import locks, paths
from litterbox.container import create, define, podman, runtime, settings
from litterbox.errors import HostError, LitterboxError

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


def build(name: str, *, rebuild: bool, report: Callable[[str], None]) -> None:
    """Build the image and put the container of the box in place; `rebuild` uses no cached layer.

    The old image and container stay until the new ones are complete; a container that is as it should be is
    not made anew. Raises LitterboxError while the box runs. `report` is told of what takes longer than a moment.
    """
    define.check_defined(name)
    chosen = settings.load(name)
    check_host()
    check_not_running(name)
    create.check_granted(name, chosen)
    create.prepare_host_side(name)
    runtime.ensure(report)
    podman.show(*build_arguments(name, rebuild=rebuild))
    with locks.hold(paths.enter_lock(name)):
        check_not_running(name)
        if not create.is_current(name, chosen):
            create.create(name, chosen)
    runtime.collect()


def build_arguments(name: str, *, rebuild: bool) -> list[str]:
    """The arguments of `podman build`; the context is the box's own folder, so that COPY works."""
    return [
        "build",
        *(["--no-cache", "--pull=newer"] if rebuild else ["--pull=missing"]),
        f"--file={paths.dockerfile(name)}",
        f"--tag={paths.image_name(name)}",
        f"--label={podman.LABEL}={name}",
        f"--build-arg=USER={user_name()}",
        f"--build-arg=UID={os.getuid()}",
        f"--build-arg=GID={os.getgid()}",
        paths.build_context(name),
    ]


def user_name() -> str:
    """The host user's name where every distribution's useradd takes it, else "user"."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return "user"
    if name[:1].isdigit() or name.startswith("-") or len(name) > 32 or not _NAME_CHARACTERS.issuperset(name):
        return "user"
    return name


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
    if podman.containers().get(name) in podman.RUNNING:
        raise LitterboxError(f"The box {name} is running.", f"Stop it first: litterbox stop {name}")
