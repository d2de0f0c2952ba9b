"""Carries the streams of a running host command: input from the client to the command, output back to the client.

Output is read from the command only when the client has taken the output before it. Input is read from the client up
to a window. So a slow side cannot fill the memory. Other messages of the client, such as signals, are never held up.
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

# After the command has ended, its output counts as ended when it is silent for so long: a process that the command left
# behind may hold it open.
SILENCE_TIMEOUT: Final = 1.0  # seconds
_EOF: Final = b"\x04"  # the character that ends the input of a terminal


async def relay(child: Child, client: Client) -> None:
    """Carry the streams of `child`. Returns when it has ended and all its output was sent."""
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
    waiting: bytearray = attrs.field(factory=bytearray, init=False)  # input that was not written to the command yet
    in_flight: int = attrs.field(default=0, init=False)  # bytes that are being written to the command
    input_ended: bool = attrs.field(default=False, init=False)
    changed: RepeatedEvent = attrs.field(factory=RepeatedEvent, init=False)  # one of the three
    silence_timeout: float = attrs.field(default=math.inf, init=False)  # seconds
    readings: set[trio.CancelScope] = attrs.field(factory=set, init=False)

    async def receive_messages(self) -> None:
        """Act on the messages of the client, until cancelled."""
        while True:
            await (
                trio.lowlevel.checkpoint()
            )  # many messages may have been read already, which are then received without waiting
            with suppress(messages.BadMessage):
                await self._receive_one()

    async def _receive_one(self) -> None:
        match await self.client.receive():
            case HostExecStdin(data=data):
                while len(self.waiting) + self.in_flight > STDIN_WINDOW:  # only for a client without the feature
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
        """Write the input to the command, until the input ends or the command closes its standard input."""
        stdin = self.child.stdin
        try:
            while True:
                while not self.waiting and not self.input_ended:
                    await self.changed.wait()
                if not self.waiting:
                    break
                await self._write(stdin, self._next_piece())
            if self.child.terminal is None:
                await stdin.aclose()
            else:
                await stdin.send_all(_EOF)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # nothing is acknowledged any more, so the client stops sending

    def _next_piece(self) -> bytearray:
        """Take at most CHUNK bytes of the waiting input, without a copy where that is all of it."""
        if len(self.waiting) <= CHUNK:
            piece, self.waiting = self.waiting, bytearray()
        else:
            piece = self.waiting[:CHUNK]
            del self.waiting[:CHUNK]
        return piece

    async def _write(self, stdin: trio.abc.SendStream, piece: bytearray) -> None:
        """Write the piece to the command, and acknowledge it."""
        self.in_flight = len(piece)
        await stdin.send_all(piece)
        self.in_flight = 0
        self.changed.set()
        if self.acknowledges:
            await self.client.send(Ack(stdin=len(piece)))

    async def forward_output(self) -> None:
        """Send the command's output to the client. Returns when the command has ended and all its output was sent."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._forward, self.child.stdout, HostExecStdout)
            if self.child.stderr is not None:
                nursery.start_soon(self._forward, self.child.stderr, HostExecStderr)
            await process_group.wait_exited(self.child.process)
            self.silence_timeout = SILENCE_TIMEOUT
            for reading in self.readings:
                reading.deadline = trio.current_time() + SILENCE_TIMEOUT

    async def _forward(self, stream: trio.abc.ReceiveStream, kind: type[HostExecStdout | HostExecStderr]) -> None:
        while data := await self._read(stream):
            await self.client.send(kind(data=data))

    async def _read(self, stream: trio.abc.ReceiveStream) -> bytes:
        """Return the next output, b"" at the end. The silence timeout bounds this wait only, not the sending."""
        with trio.CancelScope(deadline=trio.current_time() + self.silence_timeout) as reading:
            self.readings.add(reading)
            try:
                return bytes(await stream.receive_some(CHUNK))
            except trio.BrokenResourceError:  # EIO: no process has the terminal open any more
                return b""
            finally:
                self.readings.discard(reading)
        return b""
