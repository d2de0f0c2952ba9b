"""Keeps and passes on the signals that host-exec gets before its streams are carried, so that none is lost.

Before the request is sent, a signal ends host-exec. From then on the kernel holds signals back, because trio, which
passes them on later, takes 100 ms to import. Until the host has answered, which can take as long as a question to the
user, this module passes them on.
"""

import os
import time

from litterbox_guest.interceptors.host import Host, Refused

# Importing `signal` takes milliseconds, for its enums. The module below it has everything that is needed.
_signal = __import__("_signal")

_NAMES = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "TSTP", "CONT")
_NAME_OF = {getattr(_signal, f"SIG{name}"): name for name in _NAMES}
SIGNALS = (*_NAME_OF, _signal.SIGWINCH)
_STOP_OR_CONTINUE = (_signal.SIGTSTP, _signal.SIGCONT)

_LOOK_INTERVAL = 0.05  # seconds between looks for a signal
_WITHDRAWAL_TIMEOUT = 2.0  # seconds that the host has to answer after a signal that ends us
_SEND_TIMEOUT = 10.0  # seconds that the host has to receive the request


def not_ignored() -> "list[int]":
    """Return the signals that host-exec passes on: all but those that its caller ignores, as nohup does."""
    return [number for number in SIGNALS if _signal.getsignal(number) != _signal.SIG_IGN]


def hold() -> None:
    """Block the signals, so that the kernel keeps them until `release`."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK, not_ignored())


def release() -> None:
    """Unblock the signals. Those that have come take effect now."""
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, SIGNALS)


def begin(host: Host, message: "dict[str, object]") -> None:
    """Send the request for a command, and wait until the host says that the command has begun.

    Returns with signals held. It tells the host of the signals that come meanwhile: the host withdraws the question, or
    passes them on to a command that has just begun. Raises Refused with signals released. Where a signal ends us, this
    does not return.
    """
    host.socket.settimeout(_SEND_TIMEOUT)
    try:
        host.send(message)
        _wait_for_answer(host)
    except Refused:
        release()
        raise
    host.socket.settimeout(None)


def _wait_for_answer(host: Host) -> None:
    """Wait for the first answer, and pass signals on. Raises Refused."""
    host.socket.settimeout(_LOOK_INTERVAL)
    fatal, until = 0, float("inf")
    while True:
        try:
            host.receive()
        except TimeoutError:
            number = _pass_on(host)
            if number and not fatal:
                fatal, until = number, time.monotonic() + _WITHDRAWAL_TIMEOUT
            if time.monotonic() > until:
                _end_by(fatal)
        except Refused:
            if fatal:
                _end_by(fatal)
            raise
        else:
            return


def _pass_on(host: Host) -> int:
    """Tell the host of one signal that has come, if any. Returns its number where it would end a program."""
    numbers = not_ignored()
    come = _signal.sigtimedwait(numbers, 0)
    if (
        come is None or come.si_signo not in _NAME_OF
    ):  # the size of the terminal is sent later, when the streams are carried
        return 0
    number: int = come.si_signo
    host.send({"type": "host_exec_signal", "signal": _NAME_OF[number]})
    if number == _signal.SIGTSTP:
        os.kill(os.getpid(), _signal.SIGSTOP)  # until we get SIGCONT, which is then passed on
    return 0 if number in _STOP_OR_CONTINUE else number


def _end_by(number: int) -> None:
    """End this process by the signal."""
    os.kill(os.getpid(), number)
    release()
