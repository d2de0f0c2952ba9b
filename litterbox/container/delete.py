"""Deleting a box: its container and image, and when asked for, its home and its definition."""

import contextlib
import glob
import os

from litterbox import locks, paths
from litterbox.container import build, create, podman
from litterbox.errors import LitterboxError, PodmanError


def delete(name: str, *, home: bool, definition: bool) -> list[str]:
    """Remove what was asked for and is there; returns what was removed, as words. Raises while the box runs."""
    removed = []
    with locks.hold(paths.enter_lock(name), within=build.LOCK_TIMEOUT):
        check_not_in_use(name)
        # A build that was cut short can leave the new container alone.
        made = (paths.container_name(name), create.name_while_made(name))
        containers = [container for container in made if podman.exists("container", container)]
        if containers:
            create.check_ours(name)
            podman.run("rm", "--ignore", *containers, within=podman.STORAGE_TIMEOUT)
            removed.append("container")
        if podman.exists("image", paths.image_name(name)):
            _remove_image(paths.image_name(name))
            removed.append("image")
        if home and os.path.isdir(paths.home(name)):
            # Files that the box's root made belong to a subordinate id: only the user namespace may remove them.
            podman.run("unshare", "rm", "--recursive", "--force", "--", paths.home(name), within=podman.STORAGE_TIMEOUT)
            removed.append("home")
        if definition:
            removed += ["definition"] * _unlink(paths.dockerfile(name), paths.settings(name))
            with contextlib.suppress(OSError):  # files of the user's own stay, and their folder
                os.rmdir(paths.build_context(name))
        create.remove_sockets(name)
        if os.path.isdir(paths.sockets(name)):
            os.rmdir(paths.sockets(name))  # with the container gone, nothing mounts it any more
        if not os.path.exists(paths.home(name)):
            _unlink(*_with_rotated(paths.daemon_log(name)), *_with_rotated(paths.audit_log(name)))
        _unlink(paths.runtime_note(name), paths.session_lock(name), paths.daemon_lock(name), paths.enter_lock(name))
    return removed


def check_not_in_use(name: str) -> None:
    """Raise LitterboxError while the box runs, or its daemon does."""
    build.check_not_running(name)
    if locks.is_held(paths.daemon_lock(name)):
        raise LitterboxError(f"The daemon of {name} is running.", f"Stop it first: litterbox stop {name}")


def leaves_traces(name: str) -> bool:
    """Say whether a box that Podman and the definitions no longer know has left a home or a lock."""
    return os.path.exists(paths.home(name)) or os.path.exists(paths.session_lock(name))


def _remove_image(image: str) -> None:
    """Take its name from the image, and remove it unless it has another one, or a container of the user's uses it."""
    try:
        podman.run("image", "rm", image, within=podman.STORAGE_TIMEOUT)
    except PodmanError:
        podman.run("untag", image)


def _with_rotated(log: str) -> list[str]:
    return glob.glob(f"{glob.escape(log)}*")


def _unlink(*where: str) -> bool:
    """Remove files that may be missing; says whether one was there."""
    found = False
    for path in where:
        try:
            os.unlink(path)
            found = True
        except FileNotFoundError:
            continue
    return found
