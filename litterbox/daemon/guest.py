"""Starting the guest daemon from outside: in a box that runs when its host daemon comes, or its settings change."""

import logging

from litterbox import __version__, paths
from litterbox.capabilities.server import GuestDaemons
from litterbox.container import podman
from litterbox.daemon.container import ContainerWatcher, in_podman_thread
from litterbox.errors import LitterboxError

_logger = logging.getLogger(__name__)


async def renew_guest_daemon(name: str, container: ContainerWatcher, guest_daemons: GuestDaemons) -> None:
    """Have a new guest daemon take the place of the one that runs, so that the links in the box follow the settings.

    Where that fails, the box keeps the links it has, which grant nothing by themselves.
    """
    if not await container.look():
        return
    await guest_daemons.shut_down()
    version = f"--env=LITTERBOX_HOST_VERSION={__version__}"
    program = (paths.container_name(name), "/litterbox", "daemon", "--replace")
    try:
        await in_podman_thread(podman.run, "exec", "--detach", "--user=0:0", version, *program)
    except (LitterboxError, OSError) as error:
        _logger.warning("the guest daemon could not be started: %s", error)
