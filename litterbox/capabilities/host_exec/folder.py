"""The folder that a host command runs in: an empty one of ours, or the caller's, found without following the box.

The box can change its home at any moment. So the walk to the caller's folder goes from one held descriptor to the next
and through no link, and what it ends at is where the command starts, whatever has become of the path meanwhile.
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
MAX_PATH_LENGTH: Final = 4096  # characters; the kernel takes no more bytes (PATH_MAX)


@attrs.frozen
class Place:
    """`descriptor` is of the folder, `path` what it is called on the host."""

    descriptor: int
    path: str


@contextmanager
def opened(box: str, folder: Folder, working_dir: str) -> Iterator[Place]:
    """The folder for a command of `box` that is called from `working_dir`, for the length of the block.

    Raises CommandRefused where the caller's is not a folder below the box's home, and HostError.
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
        raise CommandRefused(f"it runs in the folder it is called from, which must be in {BOX_HOME}")
    steps = working_dir.removeprefix(BOX_HOME).split("/")[1:]
    if {"", ".", ".."}.intersection(steps) or "\0" in working_dir:
        raise CommandRefused(f"{quoted(working_dir)} is not a plain path")
    try:
        return Place(_walk(paths.home(box), steps), os.path.join(paths.home(box), *steps))
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a name"
        raise CommandRefused(f"{quoted(working_dir)} is no folder without links on the way: {reason}") from error


def _walk(start: str, steps: list[str]) -> int:
    descriptor = os.open(start, _STEP)
    for step in steps:
        try:
            following = os.open(step, _STEP, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = following
    return descriptor
