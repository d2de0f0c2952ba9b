"""The runtime that a running box has mounted: noted when the box starts, looked at by every entry.

Podman would only say that it found no /litterbox, with a status that a command could have had. The warm path of
`enter` imports this: os only.
"""

import os

from litterbox import files, paths
from litterbox.errors import HostError, RuntimeBundleError


def note(name: str, folder: str) -> None:
    """Remember that the box, which is about to start, mounts the runtime `folder`. Raises HostError, OSError."""
    folder = os.path.realpath(folder)
    lines = [str(os.stat(folder).st_ino), folder, *_telling(folder)]
    files.write_atomically(paths.runtime_note(name), "\n".join(lines).encode(errors="surrogateescape"))


def check(name: str) -> None:
    """Raise RuntimeBundleError where files of the runtime that the running box mounts were damaged since it started.

    Every file is compared only where something has changed since the last look.
    """
    try:
        with open(paths.runtime_note(name), encoding="utf-8", errors="surrogateescape") as file:
            noted = os.fstat(file.fileno()).st_ctime_ns
            inode, folder, *telling = file.read().split("\n")
    except (FileNotFoundError, ValueError):
        return  # the runtime folder was emptied, or another version of Litterbox started the box
    try:
        if str(os.stat(folder).st_ino) == inode and (_last_change(telling) < noted or _still_whole(name, folder)):
            return
    except OSError:
        pass
    raise RuntimeBundleError(
        f"The box {name} runs with a runtime whose files were damaged since: {folder}.",
        f"Stop the box, and enter it again, which makes a new one: litterbox stop {name}",
    )


def _telling(folder: str) -> list[str]:
    """What tells of a change in the runtime: its folders, in which a file that goes or comes shows, and its programs.

    The many compiled modules are not looked at one by one.
    """
    found = []
    for parent, _, names in os.walk(folder):
        found += [parent, *(os.path.join(parent, name) for name in names if not name.endswith(".pyc"))]
    return found


def _last_change(telling: list[str]) -> int:
    """When one of these was last changed, in nanoseconds since the epoch. Raises OSError where one is gone."""
    return max(os.lstat(path).st_ctime_ns for path in telling)


def _still_whole(name: str, folder: str) -> bool:
    from litterbox.container.runtime import bundles  # start-up budget: only where something has changed

    if not bundles.is_whole(folder):
        return False
    try:
        note(name, folder)
    except HostError:
        return True  # then the next entry compares the files again
    return True
