"""A host command that ends at once: its output and its status, before anything is imported that carries streams.

That import takes longer than most such commands, so what a command does in its first moment is waited for. All else,
its input and our signals to it above all, has to wait until the streams are carried.
"""

import os
import time

from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors import early_signals
from litterbox_guest.interceptors.host import Host

_TIMEOUT = 0.025  # seconds
_MAX_OUTPUT = 64 * 1024  # bytes of output; a command that writes more is one that goes on
_OUTPUTS = {"host_exec_stdout": 1, "host_exec_stderr": 2}
_CANNOT_WRITE = 1

# Importing `signal` costs milliseconds, for its enums; the module under it has all that is needed.
_signal = __import__("_signal")


def first_frames(host: Host) -> "list[dict[str, object]]":
    """What comes of the command in its first moment, or until its end. Raises Refused."""
    frames: list[dict[str, object]] = []
    until = time.monotonic() + _TIMEOUT
    size = 0
    try:
        while not _is_whole(frames) and size < _MAX_OUTPUT and (left := until - time.monotonic()) > 0:
            host.socket.settimeout(left)
            frames.append(host.receive())
            size += len(_data(frames[-1]))
    except TimeoutError:
        pass
    host.socket.settimeout(None)
    return frames


def finish(frames: "list[dict[str, object]]") -> "int | None":
    """Write the output of a command that has ended; returns its exit status, None where it has not.

    None, with nothing written, also where that would not wait for a slow reader. Raises GuestError. A signal that came
    too late for the command ends us as it would have ended any other program at its end.
    """
    status = frames[-1].get("exit_code") if _is_whole(frames) else None
    if not isinstance(status, int) or not _all_wait():
        return None
    early_signals.release()  # the output may have to wait for its reader
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)  # as with any other program whose output nobody reads
    for frame in frames:
        _write(frame)
    return status


def _is_whole(frames: "list[dict[str, object]]") -> bool:
    return bool(frames) and frames[-1].get("type") == "host_exec_done"


def _all_wait() -> bool:
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
