"""Starts a host command as a process group of its own, on pipes or on a terminal, and ends it.

On a terminal the command leads a session of its own. Without a terminal it stays in the daemon's session: a process
group without a parent in its session would be orphaned, and SIGTSTP would not stop it.
"""

import fcntl
import os
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import trio

from litterbox import limits
from litterbox.capabilities import group_signals, process_group
from litterbox_guest.messages import CHUNK, Terminal

_WINSIZE: Final = struct.Struct(
    "4H"
)  # struct winsize: rows, columns, and two sizes in pixels, which are 0 (ioctl_tty(2))
_MAX_TERMINAL_SIZE: Final = 0xFFFF
# The daemon may have been started with these signals ignored (nohup, a shell's `&`). A child would inherit that.
_TO_RESET: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP, signal.SIGPIPE)


@attrs.define(kw_only=True, eq=False)
class Child:
    """A running command. `stderr` is None where it goes to the terminal. `terminal` is None where there is none.

    State: `is_over` says that the process may have been reaped, so that another process may have its PID.
    """

    process: trio.Process
    stdin: trio.abc.SendStream
    stdout: trio.abc.ReceiveStream
    stderr: trio.abc.ReceiveStream | None
    terminal: int | None
    is_over: bool = attrs.field(default=False, init=False)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its process group."""
        if not self.is_over:
            # The leader of a session has no parent in its session, so SIGTSTP would not stop it.
            stops = self.terminal is not None and number is signal.SIGTSTP
            group_signals.tell(self.process.pid, signal.SIGSTOP if stops else number)

    def resize(self, rows: int, columns: int) -> None:
        if self.terminal is not None and not self.is_over:
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, _winsize(rows, columns))

    async def end(self) -> int | None:
        """Close its streams, end its process group, and reap the process. Cannot be cancelled.

        Returns its exit status, or 128 + N where signal N ended it. Returns None where it does not end because it
        belongs to another user.
        """
        self.is_over = True
        with trio.CancelScope(shield=True):
            for stream in (self.stdin, self.stdout, self.stderr):
                if stream is not None:  # a hangup reaches processes that our signals do not
                    await trio.aclose_forcefully(stream)
        status = await process_group.terminate(self.process)
        return 128 - status if status is not None and status < 0 else status


async def start(
    words: Sequence[str],
    *,
    folder: int,
    environment: Mapping[str, str],
    terminal: Terminal | None,
    announce: int,
) -> Child:
    """Start the command line `words`, whose first word is a path, in the folder with the descriptor `folder`.

    The child writes its process group to the descriptor `announce` before it executes the program. Raises OSError
    and subprocess.SubprocessError.
    """
    with trio.CancelScope(shield=True):  # a process that starts during a cancellation must not be lost
        if terminal is None:
            started = await _start_on_pipes(words, folder, environment, announce)
        else:
            started = await _start_on_terminal(words, folder, environment, announce, terminal)
    return started


async def _start_on_pipes(words: Sequence[str], folder: int, environment: Mapping[str, str], announce: int) -> Child:
    def before_exec() -> None:
        _before_exec(announce)

    process = await trio.lowlevel.open_process(
        list(words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=f"/proc/self/fd/{folder}",
        env=dict(environment),
        process_group=0,
        preexec_fn=before_exec,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for stream in (process.stdin, process.stdout):
        _widen(stream)
    return Child(process=process, stdin=process.stdin, stdout=process.stdout, stderr=process.stderr, terminal=None)


async def _start_on_terminal(
    words: Sequence[str],
    folder: int,
    environment: Mapping[str, str],
    announce: int,
    terminal: Terminal,
) -> Child:
    def before_exec() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        _before_exec(announce)

    ours, theirs = os.openpty()
    try:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, _winsize(terminal.rows, terminal.columns))
        process = await trio.lowlevel.open_process(
            list(words),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs if terminal.stderr else subprocess.PIPE,
            cwd=f"/proc/self/fd/{folder}",
            env=dict(environment),
            start_new_session=True,
            preexec_fn=before_exec,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    stream = trio.lowlevel.FdStream(ours)
    return Child(process=process, stdin=stream, stdout=stream, stderr=process.stderr, terminal=ours)


def _before_exec(announce: int) -> None:
    """Prepare the child before it executes the program. An exception becomes a SubprocessError in the parent."""
    limits.restore()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.write(announce, b"+%d\n" % os.getpid())
    for number in _TO_RESET:
        signal.signal(number, signal.SIG_DFL)


def _widen(stream: trio.abc.SendStream | trio.abc.ReceiveStream) -> None:
    """Give the pipe room for a whole chunk. The kernel refuses that to a user who has many large pipes already."""
    assert isinstance(stream, trio.lowlevel.FdStream)
    try:
        fcntl.fcntl(stream.fileno(), fcntl.F_SETPIPE_SZ, CHUNK)
    except OSError:
        return


def _winsize(rows: int, columns: int) -> bytes:
    return _WINSIZE.pack(max(0, min(rows, _MAX_TERMINAL_SIZE)), max(0, min(columns, _MAX_TERMINAL_SIZE)), 0, 0)
