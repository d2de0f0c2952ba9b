"""Stopping a box from outside: through its daemon, and by hand where that is gone, hangs, or was not enough."""

import os
import select
import signal
import sys
from contextlib import suppress

from litterbox import locks, paths
from litterbox.container import create, define, podman, state
from litterbox.control import client
from litterbox.errors import DaemonError, DaemonGone, DaemonTimeout, HostError, LockTimeout, PodmanError
from litterbox.sessions import SessionLock

ANSWER_TIMEOUT = 3.0  # seconds for the daemon to say that it has heard
END_TIMEOUT = 12.0  # seconds for the daemon to end the box; it takes one, or eight where the box does not leave
LOCK_TIMEOUT = 10.0  # seconds for the enter lock, once the daemon is gone

_STOP_TIMEOUT = 3  # seconds between Podman's TERM and its KILL
_PODMAN_TIMEOUT = 8.0  # seconds for `podman stop`
_KILL_TIMEOUT = 5.0  # seconds in which a killed process ends, unless the kernel keeps it


def stop(name: str) -> bool:
    """Stop the box and wait until it is gone; says whether there was anything to stop.

    A daemon that does not answer, or does not end the box in time, is killed, which is said on standard error. Raises
    NoSuchBox, PodmanError where Podman cannot stop the box, and LockTimeout where another process holds the enter lock.
    """
    had_daemon = _stop_daemon(name)
    if not state.is_running(name):
        if not had_daemon:
            define.check_known(name)
        return had_daemon
    with locks.hold(paths.enter_lock(name), within=LOCK_TIMEOUT):
        _stop_by_hand(name)
        create.remove_sockets(name)
    return True


def _stop_daemon(name: str) -> bool:
    """Have the daemon end the box, and wait until it is gone; says whether there was one."""
    lock = paths.daemon_lock(name)
    if not locks.is_held(lock):
        return False
    end_timeout = END_TIMEOUT
    try:
        if client.ask(name, {"request": "stop"}, within=ANSWER_TIMEOUT) is None:
            _signal_daemon(name, signal.SIGTERM)  # it is coming up, or XDG_RUNTIME_DIR was emptied under it
    except DaemonTimeout:
        end_timeout = 0.0
    except DaemonGone:
        end_timeout = _KILL_TIMEOUT
    try:
        os.close(locks.acquire(lock, within=end_timeout, shared=True))
    except LockTimeout:
        print(f"litterbox: the daemon of {name} does not end: killing it", file=sys.stderr)
        _signal_daemon(name, signal.SIGKILL)
        os.close(locks.acquire(lock, within=_KILL_TIMEOUT, shared=True))
    return True


def _signal_daemon(name: str, number: signal.Signals) -> None:
    """Send a signal to the daemon: the process that holds its lock, and that the lock file names.

    Nothing to do where it has gone. Raises DaemonError where the two differ.
    """
    lock = paths.daemon_lock(name)
    pid = locks.holder_pid(lock)
    if pid is None and not locks.is_held(lock):
        return
    if pid is None or _named_in(lock) != str(pid):
        raise DaemonError(f"The lock {lock} is held by {locks.holder(lock)}.", "End that process by hand.")
    with suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            if locks.holder_pid(lock) == pid:  # else it has gone, and another process may have its number
                signal.pidfd_send_signal(process, number)
        finally:
            os.close(process)


def _named_in(lock: str) -> str:
    with open(lock, encoding="ascii", errors="replace") as file:
        return file.read(32).strip()


def _stop_by_hand(name: str) -> None:
    """End a box that has no daemon. The caller holds the enter lock."""
    with suppress(HostError), SessionLock(paths.session_lock(name), within=0) as sessions:
        sessions.clear()  # `/litterbox wait` then leaves by itself; where the box has a lease on the file, TERM must do
    main = state.look(name).main
    try:
        podman.run("stop", f"--time={_STOP_TIMEOUT}", paths.container_name(name), within=_PODMAN_TIMEOUT)
    except PodmanError as error:
        if main is not None:
            _kill(name, main)
        state.correct(name)
        if state.look(name).called_running:
            raise error from error
    with suppress(HostError), SessionLock(paths.session_lock(name), within=0) as sessions:
        sessions.clear()


def _kill(name: str, main: int) -> None:
    """End PID 1 of the box without Podman, and wait until it is gone."""
    state.kill(name, main)
    with suppress(ProcessLookupError):
        process = os.pidfd_open(main)
        try:
            if state.is_main(main, name):
                select.select([process], [], [], _KILL_TIMEOUT)
        finally:
            os.close(process)
