"""Starting a box that does not run: the runtime it needs, the folders that are mounted, and `podman start`."""

import sys

from litterbox import paths
from litterbox.container import create, podman
from litterbox.container.runtime import bundles, in_use
from litterbox.errors import NoSuchBox


def start_container(name: str) -> None:
    """Start the box's container. The caller holds the enter lock. Raises LitterboxError."""
    if not podman.exists("container", paths.container_name(name)):
        raise NoSuchBox(f"The box {name} has no container.", f"Build it: litterbox build {name}")
    create.prepare_host_side(name)
    with bundles.lease(_report) as bundle:
        create.check_sources(name)
        in_use.note(name, bundle.folder)
        create.start(name)


def _report(words: str) -> None:
    print(f"litterbox: {words}", file=sys.stderr)
