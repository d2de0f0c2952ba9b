"""The daemon as a process: its single instance, its log, its readiness and its exit status."""

import contextlib
import logging
import logging.handlers
import os
import sys
import time
from collections.abc import Callable
from functools import partial

import trio

from litterbox import files, limits, locks, memory, paths
from litterbox.container import create
from litterbox.daemon import start
from litterbox.daemon.serve import serve
from litterbox.errors import DaemonError, DaemonRunsAlready, LitterboxError
from litterbox.log_format import EscapingFormatter
from litterbox.log_repeats import RepeatsHandler
from litterbox.sessions import SessionLock

LISTENERS_OF_THE_BOX = 2  # the agent's and the host socket

_LOG_SIZE = 1024 * 1024
_LOG_FILES = 3
_LOCK_TRIES = 20  # somebody who only tests the lock holds it for microseconds
_LOCK_INTERVAL = 0.05

_logger = logging.getLogger(__name__)


def run(
    name: str, *, vault_key: bytes | None, for_session: bool = False, tell: Callable[[bytes], None] | None = None
) -> int:
    """Serve the box until it ends; returns the exit status. Raises LitterboxError when it cannot start, or falls.

    `tell` is given start.READY, or the reason why not; without it, the log goes to standard error too.
    """
    tell_parent = tell or (lambda _words: None)
    daemon_lock = enter_lock = -1
    try:
        create.prepare_host_side(name)
        files.private_folder(paths.logs())
        daemon_lock = _take_daemon_lock(name)
        _configure_log(name, foreground=tell is None)
        memory.prepare()
        most = limits.connections(LISTENERS_OF_THE_BOX)
        ready = partial(tell_parent, start.READY)
        with SessionLock(paths.session_lock(name)) as sessions:
            enter_lock = trio.run(
                partial(
                    serve,
                    name,
                    sessions=sessions,
                    vault_key=vault_key,
                    for_session=for_session,
                    most_connections=most,
                    ready=ready,
                )
            )
    except Exception as error:
        reason = _reason(error)
        if daemon_lock >= 0:
            _logger.exception("%s %s", reason.sentence, reason.hint)
        busy = isinstance(reason, DaemonRunsAlready)
        tell_parent(start.BUSY if busy else start.report(reason.sentence, reason.hint))
        raise reason from error
    finally:
        if daemon_lock >= 0:
            _write_owner(daemon_lock, "")
            os.close(daemon_lock)
        if enter_lock >= 0:
            os.close(enter_lock)
    _logger.info("the daemon has ended")
    return 0


def run_spawned(name: str, *, secret: bytes, for_session: bool) -> int:
    """As `run`, for a daemon that start.spawn started: `secret` is the vault key or NO_KEY, readiness goes back."""
    if not secret:
        raise DaemonError(f"Whoever started the daemon of {name} is gone.")
    vault_key = None if secret == start.NO_KEY else secret
    return run(name, vault_key=vault_key, for_session=for_session, tell=_tell_parent)


def _take_daemon_lock(name: str) -> int:
    path = paths.daemon_lock(name)
    for _ in range(_LOCK_TRIES):
        descriptor = locks.open_lock(path)
        if locks.try_lock(descriptor) and locks.is_at(descriptor, path):
            _write_owner(descriptor, str(os.getpid()))
            return descriptor
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        time.sleep(_LOCK_INTERVAL)
    raise DaemonRunsAlready(
        f"The daemon of {name} runs already, as process {owner}.", f"Stop it: litterbox stop {name}"
    )


def _write_owner(daemon_lock: int, pid: str) -> None:
    """Note who holds the lock, for people and for `stop`. The file keeps its disk block for when the disk is full."""
    note = f"{pid}\n".encode()
    with contextlib.suppress(OSError):
        os.pwrite(daemon_lock, note, 0)
        os.ftruncate(daemon_lock, len(note))


def _configure_log(name: str, *, foreground: bool) -> None:
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(
            paths.daemon_log(name), maxBytes=_LOG_SIZE, backupCount=_LOG_FILES, encoding="utf-8"
        )
    ]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[RepeatsHandler(handlers)])
    logging.getLogger("sh").setLevel(logging.CRITICAL)  # it logs argv
    os.chmod(paths.daemon_log(name), files.PRIVATE_FILE)


def _tell_parent(words: bytes) -> None:
    """Answer whoever spawned us, once; later words have no reader."""
    with contextlib.suppress(OSError):
        os.write(start.READY_DESCRIPTOR, words)
    with contextlib.suppress(OSError):
        os.close(start.READY_DESCRIPTOR)


def _reason(error: Exception) -> LitterboxError:
    """What the user is told of a tree that fell: the first error with a sentence, else that it is our fault."""
    if isinstance(error, LitterboxError):
        return error
    if isinstance(error, ExceptionGroup):
        known = error.subgroup(LitterboxError)
        return _reason((known or error).exceptions[0])
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return DaemonError(f"The daemon failed: {error.strerror}{where}.", "`litterbox logs` has the details.")
    return DaemonError("The daemon failed by a fault of its own.", "`litterbox logs` has the details.")
