"""Stopping a box from outside: through its daemon, or by hand where a killed daemon left it running."""

from litterbox import locks, paths, sessions
from litterbox.container import define, podman
from litterbox.daemon import client


def stop(name: str) -> bool:
    """Stop the box and wait until it is gone; says whether there was anything to stop. Raises NoSuchBox."""
    if client.stop(name):
        return True
    if podman.containers().get(name) != "running":
        define.check_defined(name)
        return False
    with locks.hold(paths.enter_lock(name)):
        sessions.clear(paths.session_lock(name))
        podman.run("stop", "--time=10", paths.container_name(name))
        podman.run("wait", paths.container_name(name))
    return True
