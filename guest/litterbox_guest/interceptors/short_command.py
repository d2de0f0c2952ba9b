"""Fast path: writes the output of a command that ends within 25 ms, and returns its status, without importing trio.

That import takes longer than most commands, so we first wait a moment for the command to end. In that moment we send
neither input nor signals to it.
"""

import os
import time

from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors import early_signals
from litterbox_guest.interceptors.host import Host

_TIMEOUT = 0.025  # seconds
_MAX_OUTPUT = 64 * 1024  # bytes; a command that writes more is taken for a long one
_OUTPUTS = {"host_exec_stdout": 1, "host_exec_stderr": 2}
_CANNOT_WRITE = 1

# Importing `signal` takes milliseconds, for its enums. The module below it has everything that is needed.
_signal = __import__("_signal")


def first_frames(host: Host) -> "list[dict[str, object]]":
    """Return the frames that come in the first moment of the command, or until its end. Raises Refused."""
    frames: list[dict[str, object]] = []
    until = time.monotonic() + _TIMEOUT
    size = 0
    try:
        while not _is_complete(frames) and size < _MAX_OUTPUT and (left := until - time.monotonic()) > 0:
            host.socket.settimeout(left)
            frames.append(host.receive())
            size += len(_data(frames[-1]))
    except TimeoutError:
        pass
    host.socket.settimeout(None)
    return frames


def finish(frames: "list[dict[str, object]]") -> "int | None":
    """Write the output of a command that has ended, and return its exit status. Raises GuestError.

    Returns None, and writes nothing, where the command has not ended, or an output is non-blocking, so that a slow
    reader could not be waited for. A signal that came too late for the command ends this process.
    """
    status = frames[-1].get("exit_code") if _is_complete(frames) else None
    if not isinstance(status, int) or not _outputs_block():
        return None
    early_signals.release()  # writing may block, and a signal should end it
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # as any other program whose output nobody reads
    for frame in frames:
        _write(frame)
    return status


def _is_complete(frames: "list[dict[str, object]]") -> bool:
    return bool(frames) and frames[-1].get("type") == "host_exec_done"


def _outputs_block() -> bool:
    return all(map(os.get_blocking, _OUTPUTS.values()))


def _write(frame: "dict[str, object]") -> None:
    output, data = _OUTPUTS.get(str(frame.get("type"))), _data(frame)
    try:
        while output is not None and data:
            data = data[os.write(output, data) :]
    except OSError as error:
        raise GuestError(f"what the command wrote cannot be written here: {error.strerror}", _CANNOT_WRITE) from error


def _data(frame: "dict[str, object]") -> bytes:
    data = frame.get("data")
    return data if isinstance(data, bytes) else b""
