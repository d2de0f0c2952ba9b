"""The container watcher: knows whether the box runs, by a pidfd of its PID 1 and one of its conmon."""

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from litterbox import paths
from litterbox.container import podman, state
from litterbox.errors import LitterboxError

GRACE_TIMEOUT = 5.0  # seconds that `/litterbox wait` has to leave by itself before `podman stop` is run
_STOP_TIMEOUT = 2  # seconds between Podman's TERM and its KILL
_CLEANUP_TIMEOUT = 10.0  # seconds that conmon has to unmount the box after its end

# Podman may have to wait for something of the box's: other threads of the daemon have their own limiter.
_PODMAN_CALLS = trio.CapacityLimiter(4)

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")


async def in_podman_thread(function: Callable[..., _T], *arguments: object) -> _T:
    """Run what calls Podman in a worker thread; cancelled, it leaves the call to its deadline."""
    return await trio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True, limiter=_PODMAN_CALLS)


class ContainerWatcher:
    """What is known of the box's container. State: the processes being watched, each with its end as an event."""

    def __init__(self, name: str, nursery: trio.Nursery, run_podman: Callable[..., object] = podman.run) -> None:
        self._name = name
        self._run_podman = run_podman
        self._nursery = nursery
        self._ends: dict[int, trio.Event] = {}
        self._main: int | None = None
        self._conmon: int | None = None
        self._started = False
        self._looking = trio.Lock()

    @property
    def running(self) -> bool:
        return self._started and self._is_there()

    def _is_there(self) -> bool:
        """Whether PID 1 is, which an entry that is cut short can leave made ready, but not started."""
        return self._main in self._ends and not self._ends[self._main].is_set()

    async def look(self) -> bool:
        """Ask Podman whether the box runs, and watch it when it does."""
        async with self._looking:
            if not self.running:
                seen = await in_podman_thread(_look, self._name)
                self._main, self._conmon, self._started = seen.main, seen.conmon, seen.started
                for pid in (self._main, self._conmon):
                    if pid is not None and pid not in self._ends:
                        await self._nursery.start(self._watch, pid)
        return self.running

    async def end(self) -> None:
        """Return when the container is stopped and cleaned up; it is stopped by force after GRACE_TIMEOUT."""
        await self.look()
        if not self._is_there():
            return
        main, conmon = (self._ends.get(pid or -1) for pid in (self._main, self._conmon))
        if main is not None and self._started:
            with trio.move_on_after(GRACE_TIMEOUT):
                await main.wait()
        if self._is_there():
            _logger.warning("the box did not leave within %.0f s: stopping it", GRACE_TIMEOUT)
            await self._podman("stop", f"--time={_STOP_TIMEOUT}", paths.container_name(self._name))
        if self._is_there() and self._main is not None:
            _logger.warning("Podman did not stop the box: killing its process %d", self._main)
            state.kill(self._name, self._main)
        if conmon is None or conmon.is_set():
            await in_podman_thread(_correct, self._name)
        else:
            await self._podman("wait", paths.container_name(self._name))
            with trio.move_on_after(_CLEANUP_TIMEOUT):
                await conmon.wait()

    async def _podman(self, *arguments: str) -> None:
        try:
            await in_podman_thread(self._run_podman, *arguments)
        except (LitterboxError, OSError) as error:
            _logger.warning("podman %s: %s", arguments[0], error)

    async def _watch(self, pid: int, *, task_status: trio.TaskStatus[None]) -> None:
        ended = self._ends[pid] = trio.Event()
        try:
            descriptor = os.pidfd_open(pid)
        except OSError as error:
            _logger.info("process %d of the container cannot be watched: %s", pid, error)
            ended.set()
            del self._ends[pid]
            task_status.started()
            return
        try:
            task_status.started()
            await trio.lowlevel.wait_readable(descriptor)
            _logger.info("process %d of the container ended", pid)
        finally:
            ended.set()
            del self._ends[pid]
            os.close(descriptor)


@asynccontextmanager
async def open_container_watcher(name: str) -> AsyncIterator[ContainerWatcher]:
    """Watch the container of `name` for the length of the block."""
    async with trio.open_nursery() as nursery:
        watcher = ContainerWatcher(name, nursery)
        await watcher.look()
        yield watcher
        nursery.cancel_scope.cancel()


def _look(name: str) -> state.Seen:
    try:
        seen = state.look(name)
    except (LitterboxError, OSError) as error:
        _logger.info("no container to watch: %s", error)
        return state.Seen(called_running=False, started=False, main=None, conmon=None)
    if seen.is_phantom:
        _correct(name)
    return seen


def _correct(name: str) -> None:
    """Where Podman calls the box running though nothing of it is, tell it so."""
    try:
        if state.correct(name):
            _logger.warning("%s", state.said_of_phantom(name))
    except (LitterboxError, OSError) as error:
        _logger.warning("Podman's records of the box cannot be corrected: %s", error)
