"""The box's side of a running host command: passes on its input, its output, and signals.

It leaves the caller's descriptors and terminal as it found them.
"""

import contextlib
import os
import signal
from collections import deque
from collections.abc import AsyncIterator

import attrs
import trio

from litterbox_guest import wire
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors import descriptors, early_signals, terminal
from litterbox_guest.interceptors.terminal import Terminal

_FAILED = 125
_CANNOT_WRITE = 1
_STANDARD_INPUT = 0
_OUTPUTS = {"host_exec_stdout": 1, "host_exec_stderr": 2}
_READ_SIZE = wire.CHUNK + 1024  # a whole chunk with its frame


class _HostGone(Exception):
    """The host closed the connection before it said how the command ended."""


def main(connection: int, frames: wire.FrameReader, first: list[dict[str, object]], *, has_terminal: bool) -> int:
    """Carry the streams of the command that has just started. Returns its exit status. Raises GuestError.

    `connection` is the descriptor of the socket to the host, which this closes. `first` are the frames that have come
    already, and `frames` has the bytes that were read after them.
    """
    try:
        return trio.run(_carry, connection, frames, first, has_terminal)
    except Exception as error:  # noqa: BLE001 - a group of all that the tasks raised
        cause = _cause(error)
    if isinstance(cause, descriptors.Closed):  # as any other program whose output nobody reads
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    if isinstance(cause, GuestError):
        raise cause
    reason = "it hung up" if isinstance(cause, trio.BrokenResourceError) else str(cause)
    raise GuestError(f"the host went away: {reason}", _FAILED) from cause


def _cause(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _carry(
    connection: int,
    frames: wire.FrameReader,
    first: list[dict[str, object]],
    has_terminal: bool,  # noqa: FBT001 - trio.run's
) -> int:
    heard = early_signals.not_ignored()
    with trio.open_signal_receiver(*heard) as signals:
        early_signals.release()  # signals that were held arrive in `signals` now
        # The terminal is raw only while no signal can end us without a chance to restore it.
        with terminal.raw(_STANDARD_INPUT) if has_terminal else contextlib.nullcontext() as line:
            stream = trio.SocketStream(_adopted(connection))
            stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_SNDBUF, wire.CHUNK)
            client = _Client(stream, frames, deque(first), line, has_terminal=has_terminal)
            async with stream, trio.open_nursery() as nursery:
                nursery.start_soon(client.pass_signals, signals)
                nursery.start_soon(client.send_input)
                status = await client.receive_output()
                nursery.cancel_scope.cancel()
    return status


def _adopted(connection: int) -> trio.socket.SocketType:
    try:
        return trio.socket.fromfd(connection, trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    finally:
        os.close(connection)


@attrs.define
class _Client:
    stream: trio.SocketStream
    frames: wire.FrameReader
    first: deque[dict[str, object]]  # frames that come before those of `frames`
    line: Terminal | None  # in raw mode; None also where the terminal was hung up
    has_terminal: bool = attrs.field(kw_only=True)
    sending: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    room: int = attrs.field(default=wire.STDIN_WINDOW, init=False)  # bytes of input that the host accepts now
    more_room: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def receive_output(self) -> int:
        """Write the output of the command, until the command has ended. Returns its exit status."""
        writers: dict[str, descriptors.Write] = {}
        while True:
            match await self._next():
                case {"type": "host_exec_stdout" | "host_exec_stderr" as kind, "data": bytes(data)}:
                    try:
                        if kind not in writers:
                            writers[kind] = descriptors.writer(_OUTPUTS[kind])
                        await writers[kind](data)
                    except descriptors.Closed:
                        if not self.has_terminal or kind != "host_exec_stdout":
                            raise
                        writers[kind] = _drop
                        await self._hang_up()
                    except OSError as error:
                        sentence = f"what the command wrote cannot be written here: {error.strerror}"
                        raise GuestError(sentence, _CANNOT_WRITE) from error
                case {"type": "ack", "stdin": int(taken)}:
                    self.room += taken
                    self.more_room.set()
                    self.more_room = trio.Event()
                case {"type": "host_exec_done", "exit_code": int(status)}:
                    return status
                case {"type": "error", "reason": reason}:
                    raise GuestError(str(reason), _FAILED)

    async def _next(self) -> dict[str, object]:
        if self.first:
            return self.first.popleft()
        while True:
            frame = self.frames.next_frame()
            if frame is not None:
                return frame
            data = await self.stream.receive_some(_READ_SIZE)
            if not data:
                raise _HostGone("it hung up")
            self.frames.receive_data(bytes(data))

    async def send_input(self) -> None:
        """Send our standard input and its end, at most a window ahead of the command."""
        with contextlib.suppress(OSError):  # it is closed, or another session's terminal: there is no input
            read = descriptors.reader(_STANDARD_INPUT)
            while data := await read(min(await self._room(), wire.CHUNK)):
                self.room -= len(data)
                await self._send({"type": "host_exec_stdin"}, data)
        await self._send({"type": "host_exec_stdin_eof"})

    async def _room(self) -> int:
        while not self.room:
            await self.more_room.wait()
        return self.room

    async def pass_signals(self, signals: AsyncIterator[int]) -> None:
        """Pass the signals that we get on to the command."""
        async for number in signals:
            if number == signal.SIGWINCH:
                await self._resize()
                continue
            await self._send({"type": "host_exec_signal", "signal": signal.Signals(number).name.removeprefix("SIG")})
            if number == signal.SIGTSTP:
                if self.line is not None:
                    self.line.restore()
                os.kill(os.getpid(), signal.SIGSTOP)  # until we get SIGCONT, which we then pass on
            elif number == signal.SIGCONT and self.line is not None:
                self.line.make_raw()
                await self._resize()

    async def _hang_up(self) -> None:
        """Send HUP to the command. We can notice the end of the terminal before our own SIGHUP, or without one."""
        if signal.SIGHUP in early_signals.not_ignored():
            await self._send({"type": "host_exec_signal", "signal": "HUP"})

    async def _resize(self) -> None:
        if self.line is None:
            return
        try:
            columns, rows = os.get_terminal_size(_STANDARD_INPUT)
        except OSError:  # the terminal was hung up
            return
        await self._send({"type": "host_exec_resize", "rows": rows, "columns": columns})

    async def _send(self, message: dict[str, object], data: bytes | None = None) -> None:
        async with self.sending:
            await self.stream.send_all(wire.encode(message, data))


async def _drop(_data: bytes) -> None:
    await trio.lowlevel.checkpoint()
