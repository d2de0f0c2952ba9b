"""Where podman is. The warm path of `enter` imports this: os only."""

import os

from litterbox.errors import HostError


def find() -> str:
    """The absolute path of podman on PATH; raises HostError where there is none."""
    for folder in os.get_exec_path():
        candidate = os.path.join(folder, "podman")
        if os.path.isabs(candidate) and os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    raise HostError("Podman is not installed: there is no `podman` on PATH.", "Install it from your distribution.")
