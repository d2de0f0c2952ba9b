"""How a box reaches the network, and that it does not reach its host's own services by it."""

import os
import subprocess

from litterbox.errors import HostError
from litterbox.settings.box_settings import Settings, default_network

# Where Podman looks for its helpers before it looks on PATH.
_HELPER_FOLDERS = (
    "/usr/local/libexec/podman",
    "/usr/local/lib/podman",
    "/usr/libexec/podman",
    "/usr/lib/podman",
)
# Podman from 5.3 passes the first with an address, at which the box would reach whatever listens on all addresses of
# the host; the second would do the same for its loopback.
_TO_THE_HOST = ("--map-guest-addr", "--map-host-loopback")
_HELP_TIMEOUT = 10.0  # seconds


def option(settings: Settings, podman_version: tuple[int, ...]) -> str:
    """The value of `--network`. Raises HostError where pasta cannot be asked for its options."""
    network = settings.network or default_network(podman_version)
    if network == "pasta":
        closed = [f"{name},none" for name in _TO_THE_HOST if name in _help_of_pasta()]
        return f"pasta:{','.join(closed)}" if closed else "pasta"
    if network == "slirp4netns":
        return "slirp4netns:allow_host_loopback=false"  # its default, unless containers.conf says otherwise
    return network


def _help_of_pasta() -> str:
    """What pasta says of its options; nothing where it is not found, and Podman then says so at the start.

    A pasta that does not know an option has nothing to close by it, and would refuse to start with it.
    """
    for folder in (*_HELPER_FOLDERS, *os.get_exec_path()):
        program = os.path.join(folder, "pasta")
        if os.path.isabs(program) and os.access(program, os.X_OK):
            break
    else:
        return ""
    try:
        done = subprocess.run(
            [program, "--help"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_HELP_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"`{program} --help` says nothing: {error}.", "Reinstall pasta (package passt).") from error
    return (done.stdout + done.stderr).decode(errors="replace")
