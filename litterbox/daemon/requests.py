"""What the daemon answers on its control socket: status, entry, start, stop, vault key, approvals."""

import json
import math
import os
from collections.abc import Awaitable, Callable, Mapping

import trio

from litterbox import paths
from litterbox.confirm import zenity
from litterbox.confirm.escaping import escape_untrusted
from litterbox.confirm.queue import DialogQueue
from litterbox.container import create
from litterbox.control.messages import Message
from litterbox.daemon.container import ContainerWatcher, in_podman_thread
from litterbox.daemon.control import Handler
from litterbox.daemon.displays import Displays
from litterbox.daemon.sessions import SessionWatcher
from litterbox.errors import LitterboxError
from litterbox.settings import box_settings

VAULT_KEY_SIZE = 32  # bytes
NOTICE_TIMEOUT = 8.0  # seconds for comparing the settings, which asks Podman; an entry does not wait for it longer
MAX_APPROVALS = 50  # told of, the newest
_MAX_WORD_WIDTH = 224  # columns of each word of an approval, whose quotes must stay whole; a message has room for all


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
        dialogs: DialogQueue,
        settings_changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._name = name
        self.vault_key = vault_key
        self._stop = stop
        self._displays = displays
        self._container = container
        self._watcher = watcher
        self._dialogs = dialogs
        self._settings_changed = settings_changed
        self._compared: tuple[int, int] | None = None
        self._notice = ""

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "status": self._status,
            "enter": self._enter,
            "started": self._started,
            "stop": self._end,
            "vault_key": self._take_vault_key,
            "approvals": self._approvals,
            "forget": self._forget,
            "settings": self._settings,
        }

    async def _status(self, _request: Message) -> Message:
        return {
            "daemon": str(os.getpid()),
            "running": _yes(self._container.running),
            "sessions": " ".join(str(pid) for pid, _start in self._watcher.sessions),
            "unlocked": _yes(self.vault_key is not None),
            "displays": str(len(self._displays.newest_first())),
            "questions": str(self._dialogs.open_questions()),
            "pauses": ";".join(f"{kind.value}={math.ceil(left)}" for kind, left in self._dialogs.pauses().items()),
        }

    async def _enter(self, request: Message) -> Message:
        """An `enter` hands its display over and learns whether the box runs."""
        self._displays.add(request)
        answer = await self._running()
        if self.vault_key is not None and (reason := self._why_no_window()):
            blind = f"{reason}: every request for a key will be declined"
            answer["notice"] = f"{answer['notice']}; {blind}" if answer["notice"] else blind
        return answer

    def _why_no_window(self) -> str:
        """Why no question can be shown; "" where it can."""
        if not zenity.is_installed():
            return "zenity is not installed, which shows the questions"
        return "" if self._displays.newest_first() else f"no login of {self._name} has a display"

    async def _started(self, _request: Message) -> Message:
        await self._container.look()
        self._compared = None
        return await self._running()

    async def _end(self, _request: Message) -> Message:
        self._stop.set()
        return {}

    async def _take_vault_key(self, request: Message) -> Message:
        try:
            key = bytes.fromhex(request.get("key", ""))
        except ValueError:
            key = b""
        if len(key) != VAULT_KEY_SIZE:
            return {"refused": "that is no vault key"}
        self.vault_key = key
        return {}

    async def _approvals(self, _request: Message) -> Message:
        """The approvals of this session, oldest first, each as request, subject and destination."""
        told = [
            [
                escape_untrusted(word, longest=_MAX_WORD_WIDTH)
                for word in (one.request, one.subject_called or one.subject, one.called or one.destination)
            ]
            for one in self._dialogs.approvals()[-MAX_APPROVALS:]
        ]
        return {"approvals": json.dumps(told, ensure_ascii=False)}

    async def _forget(self, _request: Message) -> Message:
        count = len(self._dialogs.approvals())
        self._dialogs.forget()
        return {"forgotten": str(count)}

    async def _settings(self, _request: Message) -> Message:
        """The settings file was changed."""
        await self._settings_changed()
        return {}

    async def _running(self) -> Message:
        running = self._container.running
        return {"running": _yes(running), "notice": await self._settings_notice() if running else ""}

    async def _settings_notice(self) -> str:
        """Say what the running container has otherwise than the settings; asked anew when their file changes."""
        try:
            status = os.stat(paths.settings(self._name))
            stamp = (status.st_mtime_ns, status.st_ino)
        except FileNotFoundError:
            stamp = (0, 0)
        if stamp != self._compared:
            with trio.move_on_after(NOTICE_TIMEOUT):
                self._notice = await in_podman_thread(_notice, self._name)
                self._compared = stamp
        return self._notice if self._compared == stamp else ""


def _yes(truth: bool) -> str:  # noqa: FBT001 - it is the thing itself
    return "yes" if truth else "no"


def _notice(name: str) -> str:
    try:
        differences = create.differences(name, box_settings.load(name))
    except LitterboxError as error:
        return error.sentence
    if not differences:
        return ""
    return (
        f"the container of {name} is out of date ({'; '.join(differences)}):"
        f" `litterbox stop {name}` and `litterbox build {name}` make it anew"
    )
