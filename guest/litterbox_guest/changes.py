"""Notices that a file or folder has changed, through inotify or, where that is not available, once a second."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping

import pyinotify
import trio

LOOK_INTERVAL = 1.0  # seconds, where inotify is not available

# A file is rewritten in place, or something appears in a folder.
_MASK = pyinotify.IN_MODIFY | pyinotify.IN_CREATE | pyinotify.IN_MOVED_TO

_log = logging.getLogger(__name__)


class ChangeFlag:
    """Remembers that something has changed until a task has waited for it. Several changes count as one."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[None](1)

    def set(self) -> None:
        with contextlib.suppress(trio.WouldBlock):  # it is set already
            self._send.send_nowait(None)

    async def wait(self) -> None:
        await self._receive.receive()


async def watch(flags: Mapping[str, ChangeFlag]) -> None:
    """Set the flag of a path whenever the path may have changed, until cancelled. Sets each flag once at the start.

    A box can use up the user's inotify instances. Then every flag is set once a second, until an instance is available
    again.
    """
    looking = False
    while True:
        with _open_inotify(flags) as inotify:
            for flag in flags.values():
                flag.set()
            if inotify is not None:
                looking = False
                await _relay(*inotify)
                continue
        if not looking:
            looking = True
            _log.warning("inotify is not available: looking every %g s instead", LOOK_INTERVAL)
        await trio.sleep(LOOK_INTERVAL)


@contextlib.contextmanager
def _open_inotify(flags: Mapping[str, ChangeFlag]) -> Iterator[tuple[pyinotify.Notifier, int] | None]:
    """Yield an inotify instance that watches every path, or None where the kernel refuses an instance or a watch."""
    try:
        manager = pyinotify.WatchManager()
    except OSError:
        yield None
        return
    with contextlib.closing(manager):
        try:
            for path, flag in flags.items():
                manager.add_watch(path, _MASK, proc_fun=_setter(flag), quiet=False)
        except pyinotify.WatchManagerError:
            yield None
            return
        yield pyinotify.Notifier(manager, _broken, timeout=0), manager.get_fd()


def _setter(flag: ChangeFlag) -> Callable[[pyinotify.Event], None]:
    def on_change(event: pyinotify.Event) -> None:
        flag.set()
        if event.mask & pyinotify.IN_IGNORED:
            _broken(event)

    return on_change


class _BrokenWatch(Exception):
    """The kernel dropped events, or a watched path is gone. The watch must be set up again."""


def _broken(_event: pyinotify.Event) -> None:
    raise _BrokenWatch


async def _relay(notifier: pyinotify.Notifier, descriptor: int) -> None:
    """Read events, which set the flags, until the watch breaks."""
    with contextlib.suppress(_BrokenWatch):
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            notifier.read_events()
            notifier.process_events()
