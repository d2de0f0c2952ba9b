"""`/litterbox wait`, PID 1 of the box: reaps, ends departed sessions, and leaves when nobody is left."""

import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import trio

from litterbox_guest import proc, sessions
from litterbox_guest.changes import ChangeFlag, watch
from litterbox_guest.ending import end_departed_sessions
from litterbox_guest.errors import GuestError
from litterbox_guest.host_link import HostConnection, keep_linked

ABANDONED_TIMEOUT = 30.0  # seconds without a daemon and without a process from outside (docs/design.md, "Leaving")
_LOOKS = 6  # at the processes, in that time
_FAREWELL = 0.5  # seconds that the box's processes have to end after each signal
_LOOK_INTERVAL = 0.02  # seconds between looks whether they have
_EVERYBODY = -1  # kill(2): every process but the caller; in a PID namespace, every process of the namespace

_log = logging.getLogger(__name__)


def main(environment: Mapping[str, str]) -> int:
    """Be the box's PID 1, and return 0 when it is time to leave; the kernel then ends the rest of the box."""
    if not os.path.exists(sessions.LOCK):
        raise GuestError(f"{sessions.LOCK} is missing: this container was not made by Litterbox", 1)
    logging.basicConfig(level=logging.INFO, format="litterbox: %(message)s")
    user, box = environment.get("LITTERBOX_UID", ""), environment.get("LITTERBOX_NAME", "")
    runtime = environment.get("XDG_RUNTIME_DIR", f"/run/user/{user}")
    trio.run(serve, box, os.path.join(runtime, "litterbox"))
    if os.getpid() == 1:
        _say_farewell()
    return 0


async def serve(
    box: str, sockets: str, *, lock: str = sessions.LOCK, abandoned_after: float = ABANDONED_TIMEOUT
) -> None:
    """Return for one of the reasons to leave: a signal, an empty lock, neither daemon nor session left."""
    lock_changed, sockets_changed, connection = ChangeFlag(), ChangeFlag(), HostConnection()
    async with trio.open_nursery() as nursery:

        async def leave_after(reason: str, wait: Callable[[], Awaitable[None]]) -> None:
            await wait()
            _log.info("leaving: %s", reason)
            nursery.cancel_scope.cancel()

        await nursery.start(_reap)
        nursery.start_soon(leave_after, "asked to", _stop_signal)
        nursery.start_soon(watch, {lock: lock_changed, sockets: sockets_changed})
        nursery.start_soon(keep_linked, connection, os.path.join(sockets, f"{box}.sock"), box, sockets_changed)
        nursery.start_soon(leave_after, "no session is left", partial(end_departed_sessions, lock_changed, lock))
        nursery.start_soon(leave_after, "abandoned by the host", partial(_abandonment, connection, abandoned_after))


async def _reap(*, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    """Collect every child that ends: PID 1 inherits the box's orphans, and has no children of its own."""
    with trio.open_signal_receiver(signal.SIGCHLD) as signals:
        task_status.started()
        _collect_children()
        async for _ in signals:
            _collect_children()


def _collect_children() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


async def _stop_signal() -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            return


async def _abandonment(connection: HostConnection, after: float) -> None:
    """Return once there has been neither a daemon nor a process from outside the box for `after` seconds.

    Looks at the processes only while there is no daemon.
    """
    while True:
        await connection.wait_down()
        since = trio.current_time()
        while not connection.is_up and trio.current_time() - since < after:
            await trio.sleep(after / _LOOKS)
            if proc.from_outside():
                since = trio.current_time()
        if not connection.is_up:
            return


def _say_farewell() -> None:
    """Ask everybody to end, and wait a moment for it, so that editors save and databases close.

    TERM comes first: who saves on TERM may have no answer to HUP. Interactive shells only heed HUP.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left, or nobody that we may ask
        for number in (signal.SIGTERM, signal.SIGHUP):
            os.kill(_EVERYBODY, number)
            os.kill(_EVERYBODY, signal.SIGCONT)
            until = time.monotonic() + _FAREWELL
            while time.monotonic() < until:
                time.sleep(_LOOK_INTERVAL)
                _collect_children()
                os.kill(_EVERYBODY, 0)
