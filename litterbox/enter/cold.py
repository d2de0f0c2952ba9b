"""Starting a box that does not run: the runtime it needs, the folders that are mounted, and `podman start`."""

import contextlib
import sys

from litterbox import paths
from litterbox.container import create, lookup, podman, runtime, runtime_in_use, state
from litterbox.errors import LitterboxError, NoSuchBox, PodmanError


def start_container(name: str) -> None:
    """Start the box's container. The caller holds the enter lock. Raises LitterboxError."""
    if not podman.exists("container", paths.container_name(name)):
        raise NoSuchBox(f"The box {name} has no container.", f"Build it: litterbox build {name}")
    create.prepare_host_side(name)
    with runtime.held(_report) as bundle:
        create.check_sources(name)
        runtime_in_use.note(name, bundle.folder)
        podman.run("start", paths.container_name(name))
    try:
        _uncover(name)
    except LitterboxError:
        with contextlib.suppress(PodmanError):
            podman.run("stop", "--time=0", paths.container_name(name))
        raise


def _uncover(name: str) -> None:
    """Let the box see the tables of its image; a box that has ended already is told of by who asks the daemon."""
    main = state.look(name).main
    if main is not None:
        lookup.uncover(main)


def _report(words: str) -> None:
    print(f"litterbox: {words}", file=sys.stderr)
