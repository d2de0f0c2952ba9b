"""Starts the guard (guard.py) with the first host command, and keeps it running beside the daemon."""

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
    """Made by `open_guard`. State: the write end of the guard's standard input, and the groups that it guards."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._pipe = -1
        self._groups: set[int] = set()
        self._starting = trio.Lock()

    async def descriptor(self) -> int:
        """Return a descriptor on which a child registers its process group before it executes its program.

        The caller closes the descriptor. Raises CommandRefused where no guard can be started.
        """
        async with self._starting:
            if self._pipe < 0:
                await self._start()
            return os.dup(self._pipe)

    def remember(self, group: int) -> None:
        """Note that the child with this process group has registered itself."""
        self._groups.add(group)

    def forget(self, group: int) -> None:
        """Stop guarding a group that has ended: the kernel may reuse its number soon."""
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
            raise CommandRefused(f"the process that would guard it cannot be started: {error.strerror}") from error
        finally:
            os.close(read)
            if self._pipe != write:
                os.close(write)
        if self._pipe < 0:
            raise CommandRefused("the process that would guard it cannot be started")
        for group in self._groups:
            self._tell(b"+%d\n" % group)

    async def _watch(self, process: trio.Process) -> None:
        """Reap the guard when it ends. Start another one where there are still groups to guard."""
        with trio.CancelScope(shield=True):
            await process.wait()
            if process.stdout is not None:
                await process.stdout.aclose()
        self.close()
        if self._groups:
            with suppress(CommandRefused):
                os.close(await self.descriptor())

    def _tell(self, line: bytes) -> None:
        with suppress(OSError):  # the guard has ended; the next one gets all groups
            os.write(self._pipe, line)

    def close(self) -> None:
        """Close the guard's standard input. It then ends the groups that are left, and itself."""
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1


@asynccontextmanager
async def open_guard() -> AsyncIterator[Guard]:
    """Yield a guard that lasts as long as the block."""
    async with trio.open_nursery() as nursery:
        guarding = Guard(nursery)
        try:
            yield guarding
        finally:
            nursery.cancel_scope.cancel()
            guarding.close()
