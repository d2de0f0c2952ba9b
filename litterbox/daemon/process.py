"""The daemon as a process: its single instance, its log, its readiness and its exit status."""

import contextlib
import logging
import logging.handlers
import os
import sys
import time
from functools import partial

import trio

from litterbox import files, limits, locks, paths
from litterbox.container import create
from litterbox.daemon import start
from litterbox.daemon.serve import serve
from litterbox.errors import DaemonError, LitterboxError

OPEN_FILES = 16384  # two listeners of 4,096 connections, the control socket, a pidfd per session, and room

_LOG_SIZE = 1024 * 1024
_LOG_FILES = 3
_LOCK_TRIES = 20  # somebody who only tests the lock holds it for microseconds
_LOCK_PAUSE = 0.05

_log = logging.getLogger(__name__)


def run(name: str, *, vault_key: bytes | None, spawned: bool) -> int:
    """Serve the box until it ends; returns the exit status. Raises LitterboxError when it cannot start.

    A spawned daemon reports "ready", or the reason why not, on start.READY_DESCRIPTOR.
    """
    tell = _tell_parent if spawned else _tell_nobody
    try:
        create.prepare_host_side(name)
        files.private_folder(paths.logs())
        daemon_lock = _take_daemon_lock(name)
    except LitterboxError as error:
        tell(start.report(error.sentence, error.hint))
        raise
    _configure_log(name, foreground=not spawned)
    limits.raise_open_files(OPEN_FILES)
    enter_lock = None
    try:
        enter_lock = trio.run(partial(serve, name, vault_key=vault_key, ready=partial(tell, start.READY)))
    except Exception as error:
        reason = _reason(error)
        _log.exception("%s %s", reason.sentence, reason.hint)
        tell(start.report(reason.sentence, reason.hint))
        raise reason from error
    finally:
        os.ftruncate(daemon_lock, 0)
        os.close(daemon_lock)
        if enter_lock is not None:
            os.close(enter_lock)
    _log.info("the daemon has ended")
    return 0


def _take_daemon_lock(name: str) -> int:
    descriptor = locks.open_lock(paths.daemon_lock(name))
    for _ in range(_LOCK_TRIES):
        if locks.try_lock(descriptor):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor
        time.sleep(_LOCK_PAUSE)
    owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
    os.close(descriptor)
    raise DaemonError(f"The daemon of {name} runs already, as process {owner}.", f"Stop it: litterbox stop {name}")


def _configure_log(name: str, *, foreground: bool) -> None:
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(
            paths.daemon_log(name), maxBytes=_LOG_SIZE, backupCount=_LOG_FILES, encoding="utf-8"
        )
    ]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    logging.basicConfig(level=logging.INFO, handlers=handlers, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("sh").setLevel(logging.CRITICAL)  # it logs argv
    os.chmod(paths.daemon_log(name), files.PRIVATE_FILE)


def _tell_parent(words: bytes) -> None:
    """Answer whoever spawned us, once; later words have no reader."""
    with contextlib.suppress(OSError):
        os.write(start.READY_DESCRIPTOR, words)
    with contextlib.suppress(OSError):
        os.close(start.READY_DESCRIPTOR)


def _tell_nobody(_words: bytes) -> None:
    """A daemon in the foreground speaks through its log."""


def _reason(error: Exception) -> LitterboxError:
    """What the user is told of a tree that fell: the first error with a sentence, else that it is our fault."""
    if isinstance(error, LitterboxError):
        return error
    if isinstance(error, ExceptionGroup):
        known = error.subgroup(LitterboxError)
        return _reason((known or error).exceptions[0])
    return DaemonError("The daemon failed by a fault of its own.", "`litterbox logs` has the details.")
