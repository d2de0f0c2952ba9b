"""Stopping a box from outside: through its daemon, and by hand where that is gone or was not enough."""

from litterbox import locks, paths, sessions
from litterbox.container import create, define, podman
from litterbox.daemon import client
from litterbox.errors import PodmanError


def stop(name: str) -> bool:
    """Stop the box and wait until it is gone; says whether there was anything to stop.

    Raises NoSuchBox, and PodmanError where Podman cannot stop it.
    """
    had_daemon = client.stop(name)
    if podman.containers().get(name) not in podman.RUNNING:
        if not had_daemon:
            define.check_defined(name)
        return had_daemon
    with locks.hold(paths.enter_lock(name)):
        sessions.clear(paths.session_lock(name))
        try:
            podman.run("stop", "--time=10", paths.container_name(name))
        except PodmanError:
            podman.run("kill", paths.container_name(name))
        podman.run("wait", paths.container_name(name))
        create.remove_sockets(name)
    return True
