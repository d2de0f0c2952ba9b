"""The limits of a box's user namespace, written from outside: root of the box cannot write them back.

They are there as long as the container runs, so each start writes them (namespaces(7), user_namespaces(7)).
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from litterbox.container import forked
from litterbox.errors import HostError

# What the box counts for the user outside too, by the user's own number.
MAX_NESTED_NAMESPACES = 1024  # where they are allowed at all
_SHARE_OF_INOTIFY = 4  # of the user's instances, each uid of the box gets one part in so many
MIN_INOTIFY = 16

_LIMITS = "/proc/sys/user"
_CLONE_NEWUSER = 0x10000000
_NS_GET_PARENT = 0xB702  # ioctl_ns(2)
_MAX_STAT = 4096  # bytes of /proc/PID/stat
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
    setns = ctypes.CDLL(None, use_errno=True).setns
    forked.run(
        lambda: _write_all(setns, namespace, wanted),
        failure="The limits of the box could not be written",
        hint=_WAY_OUT,
    )


def _write_all(setns: Callable[[int, int], int], namespace: int, wanted: Mapping[str, int]) -> None:
    """In a child process: raises OSError."""
    if setns(namespace, _CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    for name, number in wanted.items():
        with open(f"{_LIMITS}/{name}", "w", encoding="ascii") as file:
            file.write(str(number))
        if _read(name) != number:
            raise OSError(errno.EIO, name)


def _read(name: str) -> int:
    with open(f"{_LIMITS}/{name}", encoding="ascii") as file:
        return int(file.read())
