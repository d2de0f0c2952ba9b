"""Opens the folder in which a host command runs: an empty one of ours, or the caller's, without following links.

The box can change its home at any moment. So each folder on the way is opened relative to the one before, and no link
is followed. The command starts in the folder that was opened, even if the box has moved or replaced the path since.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from litterbox import files, paths
from litterbox.capabilities.host_exec.allowed import CommandRefused
from litterbox.confirm.escaping import quoted
from litterbox.container.mounts import BOX_HOME
from litterbox.settings.host_commands import Folder

_STEP: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_UNWRITABLE: Final = 0o500
MAX_PATH_LENGTH: Final = 4096  # characters; the kernel allows as many bytes (PATH_MAX)


@attrs.frozen
class Place:
    """An open folder: its `descriptor`, and its `path` on the host."""

    descriptor: int
    path: str


@contextmanager
def opened(box: str, folder: Folder, working_dir: str) -> Iterator[Place]:
    """Open the folder for a command of `box` that is called from `working_dir`. Closes it after the block.

    Raises CommandRefused where the caller's folder is not in the box's home, and HostError.
    """
    place = _empty(box) if folder == "empty" else _of_the_caller(box, working_dir)
    try:
        yield place
    finally:
        os.close(place.descriptor)


def _empty(box: str) -> Place:
    path = paths.empty_folder(box)
    files.private_folder(os.path.dirname(path))
    try:
        if not os.path.lexists(path):
            os.mkdir(path, _UNWRITABLE)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise CommandRefused(f"there is no folder to run it in: {path}: {error.strerror}") from error
    if not _is_empty(descriptor):
        os.close(descriptor)
        raise CommandRefused(f"the folder to run it in is not empty: {path}")
    return Place(descriptor, path)


def _is_empty(descriptor: int) -> bool:
    try:
        return not os.listdir(descriptor) and os.fstat(descriptor).st_uid == os.getuid()
    except OSError:
        return False


def _of_the_caller(box: str, working_dir: str) -> Place:
    if len(working_dir) > MAX_PATH_LENGTH:
        raise CommandRefused(f"the path of its folder is longer than {MAX_PATH_LENGTH:,} characters")
    if working_dir != BOX_HOME and not working_dir.startswith(f"{BOX_HOME}/"):
        raise CommandRefused(f"it runs in the folder that it is called from, and this must be in {BOX_HOME}")
    steps = working_dir.removeprefix(BOX_HOME).split("/")[1:]
    if {"", ".", ".."}.intersection(steps) or "\0" in working_dir:
        raise CommandRefused(f"{quoted(working_dir)} is not a plain path")
    try:
        return Place(_walk(paths.home(box), steps), os.path.join(paths.home(box), *steps))
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not valid text"
        raise CommandRefused(f"{quoted(working_dir)} cannot be opened without following links: {reason}") from error


def _walk(start: str, steps: list[str]) -> int:
    descriptor = os.open(start, _STEP)
    for step in steps:
        try:
            following = os.open(step, _STEP, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = following
    return descriptor
