"""Asking at the terminal without echo, also across Ctrl-Z and `fg`.

Python's getpass leaves the terminal silent while the program is stopped, and the shell then brings it back with its
echo on. Here the echo is back while we are stopped, and off again, with the question asked anew, when we go on.
"""

import contextlib
import os
import select
import signal
import termios
from collections.abc import Iterator

_PATH = "/dev/tty"
_JOB_CONTROL = (signal.SIGTSTP, signal.SIGCONT)
_MAX_ANSWER = 4096  # bytes; the kernel takes no longer line (N_TTY)


def open_terminal() -> int:
    """The descriptor of the controlling terminal, which the caller closes. Raises OSError where there is none."""
    return os.open(_PATH, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)


def ask(terminal: int, prompt: str) -> bytes | None:
    """Show `prompt` and read one line, without its newline and without echo; None where the input ended at once.

    For the main thread only. Raises KeyboardInterrupt on Ctrl-C, OSError or termios.error where the terminal is gone.
    """
    while True:
        with _job_control() as signals, _silence(terminal):
            os.write(terminal, prompt.encode(errors="surrogateescape"))
            answer = _line_or_signal(terminal, signals)
            os.write(terminal, b"\n")
        if not isinstance(answer, int):
            return answer
        if answer == signal.SIGTSTP:
            os.kill(os.getpid(), signal.SIGTSTP)  # with its usual meaning, as the handler is gone


def _line_or_signal(terminal: int, signals: int) -> bytes | int | None:
    """What was typed, or the number of the signal that came before it."""
    typed = b""
    while True:
        ready, _, _ = select.select([terminal, signals], [], [])
        if signals in ready:
            for number in os.read(signals, 64):
                if number in _JOB_CONTROL:
                    return number
            continue
        piece = os.read(terminal, _MAX_ANSWER)
        typed += piece
        if typed.endswith(b"\n"):
            return typed[:-1]
        if not piece:  # Ctrl-D, on an empty line the end
            return typed or None


@contextlib.contextmanager
def _silence(terminal: int) -> Iterator[None]:
    """No echo within the block, and nothing of what was typed before it."""
    before = termios.tcgetattr(terminal)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    try:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


@contextlib.contextmanager
def _job_control() -> Iterator[int]:
    """A descriptor that tells of SIGTSTP and SIGCONT, a byte each, within the block."""
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    woken_before = signal.set_wakeup_fd(writing)
    handlers = {number: signal.signal(number, lambda _number, _frame: None) for number in _JOB_CONTROL}
    try:
        yield reading
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken_before)
        os.close(reading)
        os.close(writing)
