"""The limits of a box's user namespace, written from outside: root of the box cannot write them back.

They are there as long as the container runs, so each start writes them (namespaces(7), user_namespaces(7)).
"""

import ctypes
import errno
import fcntl
import os
import select
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from litterbox.errors import HostError

# What the box counts for the user outside too, by the user's own number.
MAX_NESTED_NAMESPACES = 1024  # where they are allowed at all
_SHARE_OF_INOTIFY = 4  # of the user's instances, each uid of the box gets one part in so many
MIN_INOTIFY = 16

_LIMITS = "/proc/sys/user"
_CLONE_NEWUSER = 0x10000000
_NS_GET_PARENT = 0xB702  # ioctl_ns(2)
_MAX_STAT = 4096  # bytes of /proc/PID/stat
_WRITE_TIMEOUT = 10.0  # seconds; it takes one millisecond
_WAY_OUT = "A box is not started without them. /proc/sys must be writable here, as it is on an ordinary host."


def limits(*, nested: bool) -> dict[str, int]:
    """The limits of a box: their names below /proc/sys/user, and the numbers. Raises HostError."""
    try:
        instances = _read("max_inotify_instances")
    except (OSError, ValueError) as error:
        raise HostError(f"{_LIMITS}/max_inotify_instances cannot be read: {error}.", _WAY_OUT) from error
    return {
        "max_user_namespaces": MAX_NESTED_NAMESPACES if nested else 0,
        "max_inotify_instances": max(MIN_INOTIFY, instances // _SHARE_OF_INOTIFY),
    }


def limit(main: int, conmon: int, wanted: Mapping[str, int]) -> None:
    """Write the limits into the user namespace of the container whose PID 1 is `main`. Raises HostError.

    A number can come to mean another process, and what runs in the box can make namespaces of its own where they are
    allowed; so it must be conmon's child, in a namespace that is the child of conmon's.
    """
    try:
        namespace = _namespace_of_container(main, conmon)
    except OSError as error:
        raise HostError(f"The limits of the box could not be written: {error.strerror}.", _WAY_OUT) from error
    try:
        _write_in(namespace, wanted)
    finally:
        os.close(namespace)


def _namespace_of_container(main: int, conmon: int) -> int:
    """The descriptor of the namespace. Raises OSError, and HostError where the process is not the container's."""
    with ExitStack() as stack:

        def opened(path: str, folder: int | None = None) -> int:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
            stack.callback(os.close, descriptor)
            return descriptor

        process = opened(f"/proc/{main}")  # stays this process, whatever becomes of its number
        namespace = opened("ns/user", process)
        parent = fcntl.ioctl(namespace, _NS_GET_PARENT)
        stack.callback(os.close, parent)
        status = os.read(opened("stat", process), _MAX_STAT).rpartition(b")")[2].split()
        if int(status[1]) != conmon or not os.path.sameopenfile(parent, opened(f"/proc/{conmon}/ns/user")):
            raise HostError(f"Process {main} is not the first process of the box.", "Try again.")
        return os.dup(namespace)


def _write_in(namespace: int, wanted: Mapping[str, int]) -> None:
    """In a process of its own, since nobody comes back from a user namespace."""
    setns = ctypes.CDLL(None, use_errno=True).setns
    child = os.fork()
    if child == 0:
        os._exit(_write_all(setns, namespace, wanted))
    ended = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        in_time = poll.poll(_WRITE_TIMEOUT * 1000)
        if not in_time:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(ended)
    if not in_time:
        raise HostError(f"The limits of the box were not written within {_WRITE_TIMEOUT:.0f} s.", _WAY_OUT)
    if status != 0:
        number = os.waitstatus_to_exitcode(status)
        reason = os.strerror(number) if number > 0 else f"signal {-number}"
        raise HostError(f"The limits of the box could not be written: {reason}.", _WAY_OUT)


def _write_all(setns: Callable[[int, int], int], namespace: int, wanted: Mapping[str, int]) -> int:
    """The whole life of the child: returns 0, or the number of the error that came first."""
    try:
        if setns(namespace, _CLONE_NEWUSER) != 0:
            return ctypes.get_errno()
        for name, number in wanted.items():
            with open(f"{_LIMITS}/{name}", "w", encoding="ascii") as file:
                file.write(str(number))
            if _read(name) != number:
                return errno.EIO
    except OSError as error:
        return error.errno or errno.EIO
    except Exception:  # noqa: BLE001 - nothing may leave for the parent's code
        return errno.EIO
    return 0


def _read(name: str) -> int:
    with open(f"{_LIMITS}/{name}", encoding="ascii") as file:
        return int(file.read())
