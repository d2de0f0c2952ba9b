"""Signals of host-exec from the moment in which its command may begin until its streams are carried: none is lost.

Before that moment a signal ends host-exec, and no command has begun. From then on the kernel holds signals back, since
what can pass them on takes 100 ms to import. Until the host has answered, which may take as long as a question to the
user, they are passed on from here.
"""

import os
import time

from litterbox_guest.interceptors.host import Host, Refused

# Importing `signal` costs milliseconds, for its enums; the module under it has all that is needed.
_signal = __import__("_signal")

_NAMES = ("INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "TSTP", "CONT")
_NAME_OF = {getattr(_signal, f"SIG{name}"): name for name in _NAMES}
SIGNALS = (*_NAME_OF, _signal.SIGWINCH)
_STOP_OR_CONTINUE = (_signal.SIGTSTP, _signal.SIGCONT)

_LOOK_INTERVAL = 0.05  # seconds between looks for a signal
_WITHDRAWAL_TIMEOUT = 2.0  # seconds that the host has to say what becomes of a request after a signal that ends us
_SEND_TIMEOUT = 10.0  # seconds that the host has to take the request


def not_ignored() -> "list[int]":
    """Return the signals that host-exec passes on; what its caller had ignored (nohup) stays so."""
    return [number for number in SIGNALS if _signal.getsignal(number) != _signal.SIG_IGN]


def hold() -> None:
    """Have the kernel keep the signals that come until `release`."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK, not_ignored())


def release() -> None:
    """Let the signals that came do what they do now, and all later ones."""
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, SIGNALS)


def begin(host: Host, message: "dict[str, object]") -> None:
    """Send the request for a command, and wait until the host says that the command runs.

    Returns with signals held. The host is told of those that come meanwhile: it withdraws the question, or passes them
    on to a command that has just begun. Raises Refused, with signals released; does not return where a signal ends us.
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
    """Raises Refused."""
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
    if come is None or come.si_signo not in _NAME_OF:  # the new size of a terminal is told once its streams are carried
        return 0
    number: int = come.si_signo
    host.send({"type": "host_exec_signal", "signal": _NAME_OF[number]})
    if number == _signal.SIGTSTP:
        os.kill(os.getpid(), _signal.SIGSTOP)  # until somebody sends SIGCONT, which is then passed on
    return 0 if number in _STOP_OR_CONTINUE else number


def _end_by(number: int) -> None:
    """End as the signal would have ended us, had it not been held."""
    os.kill(os.getpid(), number)
    release()
