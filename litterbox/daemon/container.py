"""The container watcher: knows whether the box runs, by a pidfd of its PID 1 and one of its conmon."""

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from litterbox import paths
from litterbox.container import podman
from litterbox.errors import LitterboxError

GRACE = 10.0  # seconds that `/litterbox wait` has to leave by itself before `podman stop` is run
_STOP_WITHIN = 5  # seconds between Podman's TERM and its KILL
_CLEANUP_WITHIN = 10.0  # seconds that conmon has to unmount the box after its end

_PODMAN_WITHIN = 60.0  # seconds for one podman; the locks that an end holds are not held for ever

_logger = logging.getLogger(__name__)


class ContainerWatcher:
    """What is known of the box's container. State: the processes being watched, each with its end as an event."""

    def __init__(self, name: str, nursery: trio.Nursery) -> None:
        self._name = name
        self._nursery = nursery
        self._ends: dict[int, trio.Event] = {}
        self._main: int | None = None
        self._conmon: int | None = None
        self._started = False
        self._looking = trio.Lock()

    @property
    def running(self) -> bool:
        return self._started and self._is_there

    @property
    def _is_there(self) -> bool:
        """Whether PID 1 is, which an entry that is cut short can leave made ready, but not started."""
        return self._main in self._ends and not self._ends[self._main].is_set()

    async def look(self) -> bool:
        """Ask Podman whether the box runs, and watch it when it does."""
        async with self._looking:
            if not self.running:
                self._main, self._conmon, self._started = await trio.to_thread.run_sync(_processes, self._name)
                for pid in (self._main, self._conmon):
                    if pid is not None and pid not in self._ends:
                        await self._nursery.start(self._watch, pid)
        return self.running

    async def end(self) -> None:
        """Return when the container is stopped and cleaned up; it is stopped by force after GRACE seconds."""
        await self.look()
        if not self._is_there:
            return
        main, conmon = (self._ends.get(pid or -1) for pid in (self._main, self._conmon))
        if main is not None and self._started:
            with trio.move_on_after(GRACE):
                await main.wait()
        if self._is_there:
            _logger.warning("the box did not leave within %.0f s: stopping it", GRACE)
            await self._podman("stop", f"--time={_STOP_WITHIN}", paths.container_name(self._name))
        if self.running:
            await self._podman("kill", paths.container_name(self._name))
        await self._podman("wait", paths.container_name(self._name))
        if conmon is not None:
            with trio.move_on_after(_CLEANUP_WITHIN):
                await conmon.wait()

    async def _podman(self, *arguments: str) -> None:
        with trio.move_on_after(_PODMAN_WITHIN) as scope:
            try:
                await trio.to_thread.run_sync(podman.run, *arguments, abandon_on_cancel=True)
            except (LitterboxError, OSError) as error:
                _logger.warning("podman %s: %s", arguments[0], error)
        if scope.cancelled_caught:
            _logger.error("podman %s did not end within %.0f s", arguments[0], _PODMAN_WITHIN)

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


def _processes(name: str) -> tuple[int | None, int | None, bool]:
    """The PIDs of the container's PID 1 and of its conmon, None for what is not there, and whether it was started."""
    try:
        answer = podman.run("container", "inspect", "--format", "{{json .State}}", paths.container_name(name))
    except (LitterboxError, OSError) as error:
        _logger.info("no container to watch: %s", error)
        return None, None, False
    state = json.loads(answer)
    return state.get("Pid") or None, state.get("ConmonPid") or None, state.get("Status") != "initialized"
