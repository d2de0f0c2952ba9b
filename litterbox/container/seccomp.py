"""The system calls that a box may make: the host's own profile for containers, and less.

Podman reads the file when it makes a container, and never again. The file is named after its content, so a profile of
the host's that changed is a new name, and the container is made anew by the next build.
"""

import contextlib
import glob
import hashlib
import json
import os
import tomllib
from collections.abc import Iterator
from typing import Any

from litterbox import files, paths
from litterbox.container import seccomp_rules
from litterbox.errors import HostError

# Podman's own, the first that is there. A containers.conf may name another.
_HOST_PROFILES = ("/etc/containers/seccomp.json", "/usr/share/containers/seccomp.json")
# As containers.conf(5) has it: later ones win over earlier ones.
_CONFIGURATIONS = (
    "/usr/share/containers/containers.conf",
    "/usr/share/containers/containers.conf.d/*.conf",
    "/etc/containers/containers.conf",
    "/etc/containers/containers.conf.d/*.conf",
)
_OWN = ("containers.conf", "containers.conf.d/*.conf")  # in the user's folder of configurations
MAX_PROFILE = 1024 * 1024  # bytes; the host's own are 20 KB


def profile(*, nested: bool) -> tuple[str, bytes]:
    """The path and the content of the profile of a box. Raises HostError where the host has none that can be used."""
    source = host_profile()
    derived = seccomp_rules.derive(_read(source), nested=nested)
    content = json.dumps(derived, indent=1, sort_keys=True).encode()
    return paths.seccomp_profile(hashlib.sha256(content).hexdigest()[:20]), content


def place() -> None:
    """Write the profiles where Podman reads them, and remove those of another time. Raises HostError."""
    current = dict(profile(nested=nested) for nested in (False, True))
    for path, content in current.items():
        folder = files.private_folder(os.path.dirname(path))
        files.write_atomically(path, content)
    for path in glob.glob(f"{glob.escape(folder)}/*.json"):
        if path not in current:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def host_profile() -> str:
    """The path of the host's profile, as Podman finds it. Raises HostError."""
    for path in (_configured(), *_HOST_PROFILES):
        if path and os.path.exists(path):
            return path
    raise HostError(
        f"The host has no seccomp profile for containers: there is neither {' nor '.join(_HOST_PROFILES)}.",
        "Install your distribution's package of them (containers-common, golang-github-containers-common).",
    )


def _configured() -> str:
    """What containers.conf says, "" where it says nothing. Raises HostError where it cannot be read."""
    found = ""
    for path in _configurations():
        try:
            with open(path, "rb") as file:
                containers = tomllib.load(file).get("containers", {})
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise HostError(f"{path} cannot be read: {error}.") from error
        found = containers.get("seccomp_profile") or found
    return found


def _configurations() -> Iterator[str]:
    override = os.environ.get("CONTAINERS_CONF_OVERRIDE")
    if only := os.environ.get("CONTAINERS_CONF"):
        yield only
    else:
        own = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        for pattern in (*_CONFIGURATIONS, *(f"{glob.escape(own)}/containers/{end}" for end in _OWN)):
            yield from sorted(glob.glob(pattern))
    if override:
        yield override


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            profile = json.loads(file.read(MAX_PROFILE))
        valid = all(seccomp_rules.names(rule) and isinstance(rule["action"], str) for rule in profile["syscalls"])
    except OSError as error:
        raise HostError(f"The seccomp profile {path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        valid = False
    if not valid:
        raise HostError(f"{path} is not a seccomp profile for containers.", "Reinstall the package that it is from.")
    return dict(profile)
