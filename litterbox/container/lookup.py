"""The tables in which Podman looks up the user of a process that it starts in a box: files of ours, not the box's.

For `--user=0:0` too, `podman exec` opens /etc/passwd and /etc/group of the running container while it holds the
container's lock. A FIFO there would stop every Podman command of the host. Where a container was made with mounts for
the two, Podman reads their sources instead. So a box is made with such mounts, and loses them as soon as it has
started: then it sees its image's own tables and can change them.
"""

import ctypes
import os
import re

from litterbox import files, paths
from litterbox.errors import HostError

# HOME must be there, too: crun would else look for it in the box.
TABLES = {"passwd": "root:x:0:0:root:/root:/bin/sh\n", "group": "root:x:0:\n"}

_DONE = "done"
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
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(_uncover_in_child(main, targets, write))
    os.close(write)
    with open(read, "rb") as said:
        reason = said.read().decode(errors="replace")
    os.waitpid(child, 0)
    if reason != _DONE:
        raise HostError(f"The user tables of the box cannot be uncovered: {reason or 'the process ended'}.")


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


def _uncover_in_child(main: int, targets: list[bytes], write: int) -> int:
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        namespaces = [os.open(f"/proc/{main}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("user", "mnt")]
        for namespace in namespaces:  # from here on nothing may be imported: the files are the box's
            _check(libc.setns(namespace, 0), "setns")
        for target in targets:
            _check(libc.umount2(target, _MNT_DETACH | _UMOUNT_NOFOLLOW), os.fsdecode(target))
        os.write(write, _DONE.encode())
    except OSError as error:
        os.write(write, f"{error.strerror}: {error.filename}".encode())
        return 1
    return 0


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
