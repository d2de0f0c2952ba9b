"""Which program is asking, by its own account: a claim for a person to read, and nothing to decide by."""

from typing import Final

_MAX_SIZE: Final = 4096  # bytes; a dialog shows far less


def command_line(pid: int) -> str | None:
    """What the process `pid` says it is: its arguments joined by spaces, else its name, None where it says nothing.

    Only a claim: a process may write what it likes over both, and when it has ended, `pid` may be another's. It is
    for a dialog that says so, and never for a log: arguments may hold a password. Bytes that are not UTF-8 are
    replaced; at most 4 KiB are read (proc_pid_cmdline(5), proc_pid_comm(5)).
    """
    arguments = _read(f"/proc/{pid}/cmdline").rstrip(b"\0").replace(b"\0", b" ")
    said = arguments or _read(f"/proc/{pid}/comm").removesuffix(b"\n")
    return said.decode("utf-8", "replace") or None


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_MAX_SIZE)
    except OSError:
        return b""
