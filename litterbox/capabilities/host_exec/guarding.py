"""Keeping a guard (guard.py) beside the daemon from its first host command on."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from litterbox import limits
from litterbox.capabilities.host_exec import guard


class Guard:
    """The guard's process, started where there is none. State: the process and our end of its standard input."""

    def __init__(self) -> None:
        self._process: trio.Process | None = None
        self._pipe = -1
        self._starting = trio.Lock()

    async def descriptor(self) -> int:
        """Where a child writes that it is there, before it becomes its program. Raises OSError."""
        async with self._starting:
            if self._process is None or self._process.poll() is not None:
                self._close()
                read, self._pipe = os.pipe()
                try:
                    with trio.CancelScope(shield=True):
                        self._process = await trio.lowlevel.open_process(
                            [sys.executable, "-P", "-m", guard.__name__],
                            stdin=read,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL,
                            start_new_session=True,
                            preexec_fn=limits.for_children(),
                        )
                finally:
                    os.close(read)
        return self._pipe

    def forget(self, group: int) -> None:
        """The group has ended, and its number may be another's soon."""
        try:
            os.write(self._pipe, b"-%d\n" % group)
        except BrokenPipeError:  # the guard was killed, and knows of no group any more
            return

    def _close(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    async def aclose(self) -> None:
        self._close()
        if self._process is not None:
            with trio.CancelScope(shield=True):
                await self._process.wait()


@asynccontextmanager
async def open_guard() -> AsyncIterator[Guard]:
    """A guard for the length of the block."""
    guarding = Guard()
    try:
        yield guarding
    finally:
        await guarding.aclose()
