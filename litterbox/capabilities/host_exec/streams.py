"""The streams of a running host command: pieces of its input from the client, pieces of its output to it.

Nothing is read of the command before the client has taken what was read before, and of the client's input no more than
a window; so neither side's slowness fills memory. What else the client says, a signal above all, is heard meanwhile.
"""

import math
import signal
from contextlib import suppress
from typing import Final

import attrs
import trio
from trio_util import RepeatedEvent

from litterbox.capabilities import process_group
from litterbox.capabilities.client import Client
from litterbox.capabilities.host_exec.child import Child
from litterbox.capabilities.replies import Ack, HostExecStderr, HostExecStdout
from litterbox_guest import messages
from litterbox_guest.messages import (
    CHUNK,
    SIGNALS,
    STDIN_WINDOW,
    STREAMS,
    HostExecResize,
    HostExecSignal,
    HostExecStdin,
    HostExecStdinEof,
    Ping,
)

# How long the output of a command that has ended may stay silent before it counts as ended, too: a process that the
# command left behind may hold it open.
SILENCE_TIMEOUT: Final = 1.0  # seconds
_EOF: Final = b"\x04"  # what a terminal's line discipline takes for the end of input


async def relay(child: Child, client: Client) -> None:
    """Carry the streams of `child` until it has ended and its output is with the client."""
    streams = _Streams(child, client, acknowledges=STREAMS in client.features)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(streams.receive_messages)
        nursery.start_soon(streams.write_stdin)
        await streams.forward_output()
        nursery.cancel_scope.cancel()


@attrs.define
class _Streams:
    child: Child
    client: Client
    acknowledges: bool = attrs.field(kw_only=True)  # how much of its input the command took
    waiting: bytearray = attrs.field(factory=bytearray, init=False)  # input that the command has not been given yet
    in_flight: int = attrs.field(default=0, init=False)  # bytes that it is being given
    input_ended: bool = attrs.field(default=False, init=False)
    changed: RepeatedEvent = attrs.field(factory=RepeatedEvent, init=False)  # either of them
    silence_timeout: float = attrs.field(default=math.inf, init=False)  # seconds of silence that are waited for
    readings: set[trio.CancelScope] = attrs.field(factory=set, init=False)

    async def receive_messages(self) -> None:
        """Act on what the client says, until cancelled."""
        while True:
            await trio.lowlevel.checkpoint()  # much may be read already
            with suppress(messages.BadMessage):
                await self._receive_one()

    async def _receive_one(self) -> None:
        match await self.client.receive():
            case HostExecStdin(data=data):
                while len(self.waiting) + self.in_flight > STDIN_WINDOW:  # only of a client that knows of no window
                    await self.changed.wait()
                self.waiting += data
                self.changed.set()
            case HostExecStdinEof():
                self.input_ended = True
                self.changed.set()
            case HostExecSignal(signal=name) if name in SIGNALS:
                self.child.signal(signal.Signals[f"SIG{name}"])
            case HostExecResize(rows=rows, columns=columns):
                self.child.resize(rows, columns)
            case Ping():
                await self.client.send(Ack())
            case _:
                await self.client.refuse("a command runs on this connection, and takes no such message")

    async def write_stdin(self) -> None:
        """Write the input to the command, until its end or the command's lack of interest."""
        stdin = self.child.stdin
        try:
            while True:
                while not self.waiting and not self.input_ended:
                    await self.changed.wait()
                if not self.waiting:
                    break
                await self._give(stdin, self._next_piece())
            if self.child.terminal is None:
                await stdin.aclose()
            else:
                await stdin.send_all(_EOF)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # nothing more is acknowledged, so nothing more comes

    def _next_piece(self) -> bytearray:
        """Take at most CHUNK bytes of what waits: all of it, without a copy, where it is no more."""
        if len(self.waiting) <= CHUNK:
            piece, self.waiting = self.waiting, bytearray()
        else:
            piece = self.waiting[:CHUNK]
            del self.waiting[:CHUNK]
        return piece

    async def _give(self, stdin: trio.abc.SendStream, piece: bytearray) -> None:
        """Write it to the command, and acknowledge it."""
        self.in_flight = len(piece)
        await stdin.send_all(piece)
        self.in_flight = 0
        self.changed.set()
        if self.acknowledges:
            await self.client.send(Ack(stdin=len(piece)))

    async def forward_output(self) -> None:
        """Send the client what the command writes. Returns when the command has ended, and all of it was sent."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell, self.child.stdout, HostExecStdout)
            if self.child.stderr is not None:
                nursery.start_soon(self._tell, self.child.stderr, HostExecStderr)
            await process_group.wait_exited(self.child.process)
            self.silence_timeout = SILENCE_TIMEOUT
            for reading in self.readings:
                reading.deadline = trio.current_time() + SILENCE_TIMEOUT

    async def _tell(self, stream: trio.abc.ReceiveStream, kind: type[HostExecStdout | HostExecStderr]) -> None:
        while data := await self._read(stream):
            await self.client.send(kind(data=data))

    async def _read(self, stream: trio.abc.ReceiveStream) -> bytes:
        """The next piece, empty at the end; only the wait for it is bounded, never what is done with it."""
        with trio.CancelScope(deadline=trio.current_time() + self.silence_timeout) as reading:
            self.readings.add(reading)
            try:
                return bytes(await stream.receive_some(CHUNK))
            except trio.BrokenResourceError:  # EIO: nobody has the terminal open any more
                return b""
            finally:
                self.readings.discard(reading)
        return b""
