"""The tables in which Podman looks up the user of a process that it starts in a box: files of ours, not the box's.

For `--user=0:0` too, `podman exec` opens /etc/passwd and /etc/group of the running container while it holds the
container's lock. A FIFO there would stop every Podman command of the host. Where a container was made with mounts for
the two, Podman reads their sources instead. So a box is made with such mounts, and loses them before any code runs in
it: the box sees its image's own tables and can change them.
"""

import ctypes
import os
import re

from litterbox import files, paths
from litterbox.container import forked
from litterbox.errors import HostError

# HOME must be there, too: crun would else look for it in the box.
TABLES = {"passwd": "root:x:0:0:root:/root:/bin/sh\n", "group": "root:x:0:\n"}

_MNT_DETACH = 2  # umount2(2)
_UMOUNT_NOFOLLOW = 8


def mounts() -> dict[str, str]:
    """The path on the host → the path in the box that Podman reads it for."""
    return {os.path.join(paths.lookup_tables(), name): f"/etc/{name}" for name in TABLES}


def prepare() -> None:
    """Make the tables where they are missing. Raises HostError."""
    folder = files.private_folder(paths.lookup_tables())
    for name, content in TABLES.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            files.write_atomically(path, content.encode())


def uncover(main: int) -> None:
    """Take the mounts away in the box whose PID 1 is `main`, where it has them. Raises HostError.

    Only a process with a single thread may do this: its child enters the namespaces of the box (setns(2)), runs
    nothing of the box there, and ends.
    """
    targets = _covered(main)
    if not targets:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        namespaces = [os.open(f"/proc/{main}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "mnt")]
    except OSError as error:
        raise HostError(f"The box ended while it started: {error.strerror}.") from error
    try:
        forked.run(
            lambda: _unmount(libc, namespaces, targets), failure="The user tables of the box could not be uncovered"
        )
    finally:
        for namespace in namespaces:
            os.close(namespace)


def _covered(main: int) -> list[bytes]:
    """Where the tables are mounted: an image may have a link in the place of /etc/passwd."""
    sources = tuple(f"/{os.path.basename(paths.lookup_tables())}/{name}".encode() for name in TABLES)
    try:
        with open(f"/proc/{main}/mountinfo", "rb") as file:
            rows = [line.split(b" ") for line in file]
    except OSError as error:
        raise HostError(f"The box ended while it started: {error.strerror}.") from error
    return [_unescape(row[4]) for row in rows if row[3].endswith(sources)]


def _unescape(path: bytes) -> bytes:
    r"""A path of mountinfo, in which a space is \040 (proc_pid_mountinfo(5))."""
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), path)


def _unmount(libc: ctypes.CDLL, namespaces: list[int], targets: list[bytes]) -> None:
    """In a child process: raises OSError."""
    for namespace in namespaces:
        _check(libc.setns(namespace, 0))
    for target in targets:
        _check(libc.umount2(target, _MNT_DETACH | _UMOUNT_NOFOLLOW))


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "a system call")
