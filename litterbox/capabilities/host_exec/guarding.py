"""Keeping a guard (guard.py) beside the daemon from its first host command on."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio

from litterbox import limits
from litterbox.capabilities.host_exec import guard
from litterbox.capabilities.host_exec.allowed import CommandRefused

_START_TIMEOUT: Final = 10.0  # seconds


class Guard:
    """Made by `open_guard`. State: the guard's process, our end of its standard input, and the groups it knows."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._pipe = -1
        self._groups: set[int] = set()
        self._starting = trio.Lock()

    async def descriptor(self) -> int:
        """A descriptor on which a child says that it is there, before it becomes its program; the caller's to close.

        Raises CommandRefused where there can be no guard.
        """
        async with self._starting:
            if self._pipe < 0:
                await self._start()
            return os.dup(self._pipe)

    def remember(self, group: int) -> None:
        """A child has said that it is there."""
        self._groups.add(group)

    def forget(self, group: int) -> None:
        """The group has ended, and its number may be another's soon."""
        self._groups.discard(group)
        self._tell(b"-%d\n" % group)

    async def _start(self) -> None:
        read, write = os.pipe()
        try:
            with trio.CancelScope(shield=True):
                process = await trio.lowlevel.open_process(
                    [sys.executable, "-P", "-m", guard.__name__],
                    stdin=read,
                    stdout=subprocess.PIPE,
                    start_new_session=True,
                    preexec_fn=limits.for_children(),
                )
                self._nursery.start_soon(self._watch, process)
                with trio.move_on_after(_START_TIMEOUT):
                    assert process.stdout is not None
                    if await process.stdout.receive_some(1):
                        self._pipe = write
        except OSError as error:
            raise CommandRefused(f"a process that would guard it cannot be started: {error.strerror}") from error
        finally:
            os.close(read)
            if self._pipe != write:
                os.close(write)
        if self._pipe < 0:
            raise CommandRefused("a process that would guard it cannot be started")
        for group in self._groups:
            self._tell(b"+%d\n" % group)

    async def _watch(self, process: trio.Process) -> None:
        """Have another one where somebody ended it, if there is anything to guard; reap it in any case."""
        with trio.CancelScope(shield=True):
            await process.wait()
            if process.stdout is not None:
                await process.stdout.aclose()
        self.close()
        if self._groups:
            with suppress(CommandRefused):
                os.close(await self.descriptor())

    def _tell(self, line: bytes) -> None:
        with suppress(OSError):  # it has ended; the next one is told of what is there
            os.write(self._pipe, line)

    def close(self) -> None:
        """The guard ends with what it guards, and then by itself."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


@asynccontextmanager
async def open_guard() -> AsyncIterator[Guard]:
    """A guard for the length of the block."""
    async with trio.open_nursery() as nursery:
        guarding = Guard(nursery)
        try:
            yield guarding
        finally:
            nursery.cancel_scope.cancel()
            guarding.close()
