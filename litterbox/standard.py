"""The standard streams, which whoever started the program may have closed, or which may take nothing any more.

What is said on standard error is for the user, and is lost where nobody takes it; what is printed on standard output is
what a command is for, and an error where it cannot be written. The warm path of `enter` imports this: io, os, sys only.
"""

import io
import os
import sys

from litterbox.errors import HostError

TYPE_CHECKING = False  # typing's own costs milliseconds
if TYPE_CHECKING:
    from typing_extensions import Buffer

INPUT, OUTPUT, ERROR = 0, 1, 2


def prepare() -> None:
    """Make the standard streams usable: none of them is closed afterwards, and their errors are as this module says."""
    occupy()
    if sys.stdin is None:  # it was closed when Python started
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(INPUT, closefd=False)), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(OUTPUT, "w", closefd=False)),
        encoding=getattr(sys.stdout, "encoding", "utf-8"),
        errors=getattr(sys.stdout, "errors", "strict"),
        line_buffering=os.isatty(OUTPUT),
    )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Messages(ERROR, "w", closefd=False)),
        encoding=getattr(sys.stderr, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=True,
    )


def occupy() -> None:
    """Open the null device for each standard stream that is closed, so that no file of ours gets its number.

    Standard input is then at its end, writing to standard output fails, and writing to standard error does nothing.
    """
    for descriptor, mode in ((INPUT, os.O_RDONLY), (OUTPUT, os.O_RDONLY), (ERROR, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # it gets the lowest number that is free
            os.set_inheritable(descriptor, True)  # noqa: FBT003 - what is started from here needs it as much


class _Output(io.FileIO):
    """Raises HostError where it cannot be written, and BrokenPipeError where nobody reads it any more."""

    def write(self, data: "Buffer", /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            _discard_output()
            raise
        except OSError as error:
            _discard_output()
            raise HostError(f"Standard output cannot be written: {error.strerror}.") from error


class _Messages(io.FileIO):
    """Never raises OSError."""

    def write(self, data: "Buffer", /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def _discard_output() -> None:
    """Send what is still to be written nowhere, or Python would fail once more when it ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, OUTPUT)
    os.close(null)
