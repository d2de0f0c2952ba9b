"""What the daemon answers on its control socket: status, entry, start, stop, vault key."""

import os
from collections.abc import Awaitable, Callable, Mapping

import trio

from litterbox import paths
from litterbox.container import create, settings
from litterbox.daemon.container import ContainerWatcher
from litterbox.daemon.control import Answer, Request, decode_vault_key
from litterbox.daemon.displays import Displays
from litterbox.daemon.sessions import SessionWatcher
from litterbox.errors import LitterboxError


class Requests:
    """The control requests of one daemon. State: the vault key, and which settings the last notice was about."""

    def __init__(
        self,
        name: str,
        *,
        vault_key: bytes | None,
        stop: trio.Event,
        displays: Displays,
        container: ContainerWatcher,
        watcher: SessionWatcher,
    ) -> None:
        self._name = name
        self.vault_key = vault_key
        self._stop = stop
        self._displays = displays
        self._container = container
        self._watcher = watcher
        self._compared: tuple[int, int] | None = None
        self._notice = ""

    def handlers(self) -> Mapping[str, Callable[[Request], Awaitable[Answer]]]:
        return {
            "status": self._status,
            "enter": self._enter,
            "started": self._started,
            "stop": self._end,
            "vault_key": self._take_vault_key,
        }

    async def _status(self, _request: Request) -> Answer:
        return {
            "daemon": os.getpid(),
            "running": self._container.running,
            "sessions": [pid for pid, _start in self._watcher.sessions],
            "unlocked": self.vault_key is not None,
            "displays": len(self._displays.newest_first()),
        }

    async def _enter(self, request: Request) -> Answer:
        """An `enter` hands its display over and learns whether the box runs."""
        display = request.get("display")
        if isinstance(display, dict):
            self._displays.add(display)
        return await self._running()

    async def _started(self, _request: Request) -> Answer:
        await self._container.look()
        self._compared = None
        return await self._running()

    async def _end(self, _request: Request) -> Answer:
        self._stop.set()
        return {}

    async def _take_vault_key(self, request: Request) -> Answer:
        self.vault_key = decode_vault_key(request) or self.vault_key
        return {}

    async def _running(self) -> Answer:
        running = self._container.running
        return {"running": running, "notice": await self._settings_notice() if running else ""}

    async def _settings_notice(self) -> str:
        """Say what the running container has otherwise than the settings; asked anew when their file changes."""
        try:
            status = os.stat(paths.settings(self._name))
            stamp = (status.st_mtime_ns, status.st_ino)
        except FileNotFoundError:
            stamp = (0, 0)
        if stamp != self._compared:
            self._notice = await trio.to_thread.run_sync(_notice, self._name)
            self._compared = stamp
        return self._notice


def _notice(name: str) -> str:
    try:
        differences = create.differences(name, settings.load(name))
    except LitterboxError as error:
        return error.sentence
    if not differences:
        return ""
    return (
        f"the settings of {name} changed since its container was made ({'; '.join(differences)}):"
        f" they apply after `litterbox stop {name}` and `litterbox build {name}`"
    )
