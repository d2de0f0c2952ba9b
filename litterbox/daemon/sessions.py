"""The session watcher: one pidfd per session, inotify on the lock, and a sweep once a minute as a safety net."""

import logging
import os
from typing import Self

import pyinotify
import trio
from trio_util import RepeatedEvent

from litterbox import sessions
from litterbox.sessions import Session, SessionLock

SWEEP_INTERVAL = 60.0  # seconds
LOOK_INTERVAL = 1.0  # seconds between looks where the box, or another program, used up the inotify instances

_logger = logging.getLogger(__name__)


class SessionWatcher:
    """Who is in the box. `ended` is set whenever a session is gone whose line still stands in the lock."""

    def __init__(self, lock: SessionLock, *, seen_any: bool) -> None:
        """`seen_any` says that a session is known to have been here, so that an empty lock is an end."""
        self._lock = lock
        self._watched: set[Session] = set()
        self.ended = RepeatedEvent()
        self.seen_any = seen_any

    @property
    def sessions(self) -> list[Session]:
        return sorted(self._watched)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Watch until cancelled; started when every session of the lock has its pidfd."""
        async with trio.open_nursery() as nursery:
            with _Changes(self._lock.path) as changes:
                self._look(nursery)
                task_status.started()
                while True:
                    await changes.wait()
                    self._look(nursery)

    def _look(self, nursery: trio.Nursery) -> None:
        listed = self._lock.listed()
        living = [session for session in listed if sessions.is_alive(session)]
        for session in living:
            if session not in self._watched:
                self._watched.add(session)
                nursery.start_soon(self._watch, session)
        self.seen_any = self.seen_any or bool(listed)
        if len(living) < len(listed) or (self.seen_any and not listed):
            self.ended.set()  # also for who came and went between two looks

    async def _watch(self, session: Session) -> None:
        try:
            descriptor = os.pidfd_open(session[0])
        except OSError:
            descriptor = -1
        try:
            if descriptor >= 0 and sessions.is_alive(session):
                await trio.lowlevel.wait_readable(descriptor)
        finally:
            self._watched.discard(session)
            if descriptor >= 0:
                os.close(descriptor)
        _logger.info("session %s ended", sessions.label(session))
        self.ended.set()


class _Changes:
    """Tells when the lock may have changed: inotify with the sweep as its timeout, or a look once a second."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._notifier: pyinotify.Notifier | None = None
        self._descriptor = -1
        self._said = False

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        if self._notifier is not None:
            self._notifier.stop()

    async def wait(self) -> None:
        """Return at the next change, or when it is time to look anyhow."""
        if self._notifier is None:
            await trio.sleep(LOOK_INTERVAL)
            self._open()
            return
        with trio.move_on_after(SWEEP_INTERVAL):
            await trio.lowlevel.wait_readable(self._descriptor)
            self._notifier.read_events()
            self._notifier.process_events()

    def _open(self) -> None:
        try:
            manager = pyinotify.WatchManager()
        except OSError as error:
            self._say_once(error)
            return
        try:
            manager.add_watch(self._path, pyinotify.IN_MODIFY, quiet=False)
        except pyinotify.WatchManagerError as error:
            os.close(manager.get_fd())
            self._say_once(error)
            return
        self._descriptor = manager.get_fd()
        self._notifier = pyinotify.Notifier(manager, lambda _event: None, timeout=0)

    def _say_once(self, error: Exception) -> None:
        if not self._said:
            _logger.warning("inotify cannot be had (%s): looking at the session lock once a second", error)
        self._said = True
