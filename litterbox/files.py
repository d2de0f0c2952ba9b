"""Files that are never seen half-written, and folders that are the user's alone.

An error of a writer speaks of its own file only, and says that the file is unchanged only where that is true: what else
a command has changed by then, the writer does not know. The warm path of `enter` imports this: os only.
"""

import errno
import os
import stat
import time

from litterbox.errors import HostError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700

MAX_ENTRIES_SEARCHED = 10_000  # of a folder, for what a killed writer left behind
MAX_WRITE_TIME = 3600.0  # seconds after which a temporary file is nobody's, whoever has its process's number now
_RANDOM_LENGTH = 8  # hexadecimal digits in the name of a temporary file
_MAX_PID_DIGITS = 7  # of the largest number that Linux gives a process
_REPLACE_TRIES = 3

# The file system has no files without names: NFS, FAT, FUSE; kernels before 3.11 say that it is a folder.
_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EPERM})


def private_folder(path: str) -> str:
    """Return the folder `path`; it, and each parent, is made 0700 where it is missing. Raises HostError."""
    missing = []
    parent = path
    while not os.path.isdir(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    for folder in reversed(missing):
        try:
            os.mkdir(folder, PRIVATE_FOLDER)
        except OSError as error:
            if not os.path.isdir(folder):  # somebody else may have made it just now
                raise HostError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return path


def close_folder(path: str) -> None:
    """Take all others' rights in the folder `path` away, which is there already. Raises HostError."""
    try:
        if os.stat(path).st_mode & 0o077:
            os.chmod(path, PRIVATE_FOLDER)
    except OSError as error:
        raise HostError(
            f"Other users can get into the folder {path}, and that cannot be changed: {error.strerror}.",
            f"Make it yours, with mode 0700: chmod 700 {path}",
        ) from error


def write_atomically(path: str, content: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Replace `path` by `content`: temporary file, fsync, rename, fsync of the folder.

    Whoever reads `path` sees the old content or the new, whole. What a writer of the same file left behind when it was
    killed is removed. Raises HostError with the system's reason, which says which of the two contents is there.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(_RANDOM_LENGTH // 2).hex()}")
    try:
        _remove_abandoned(folder, name)
        _write_named(temporary, content, mode)
        try:
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}.", "The file is as it was.") from error
    _sync_folder_of(path)


def write_new(path: str, content: bytes) -> None:
    """Write a file of mode 0600 that is not there yet, of which nothing else is ever seen under any name.

    The content gets its name when it is whole, so that even a process that is killed leaves no part of it behind. Where
    the file system has no files without names, it is written under its own name, and removed where that fails. Raises
    FileExistsError; HostError as `write_atomically`.
    """
    folder = os.path.dirname(path) or "."
    try:
        if not _write_unnamed(folder, path, content):
            _write_named(path, content, PRIVATE_FILE)
    except FileExistsError:
        raise
    except OSError as error:
        state = "The file is as it was." if os.path.lexists(path) else "There is no such file."
        raise HostError(f"{path} cannot be written: {error.strerror}.", state) from error
    _sync_folder_of(path)


def write_anew(path: str, content: bytes) -> None:
    """As `write_new`, in place of what is there, which is removed just before. Raises HostError."""
    for _ in range(_REPLACE_TRIES):
        try:
            write_new(path, content)
        except FileExistsError:
            try:
                os.unlink(path)
            except FileNotFoundError:  # somebody else was quicker
                continue
            except OSError as error:
                raise HostError(f"{path} cannot be replaced: {error.strerror}.", "The file is as it was.") from error
        else:
            return
    raise HostError(f"{path} cannot be written: somebody else makes it again and again.")


def sync_folder(folder: str) -> None:
    """Make a rename in `folder` last through a power cut. Raises OSError."""
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder_of(path: str) -> None:
    try:
        sync_folder(os.path.dirname(path))
    except OSError as error:
        raise HostError(
            f"{path} was written, but may be lost in a power cut: its folder cannot be synced: {error.strerror}."
        ) from error


def _write_through(descriptor: int, content: bytes) -> None:
    """Write all of it, and have it on the disk. Raises OSError."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.fsync(descriptor)


def _write_unnamed(folder: str, path: str, content: bytes) -> bool:
    """Write a file without a name, and name it `path` (open(2), O_TMPFILE). False where that is unsupported."""
    try:
        descriptor = os.open(folder, os.O_WRONLY | os.O_TMPFILE, PRIVATE_FILE)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        raise
    try:
        _write_through(descriptor, content)
        # With a folder's descriptor, which an absolute path needs not, Python calls linkat(2), which follows the link.
        os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        raise
    finally:
        os.close(descriptor)
    return True


def _write_named(path: str, content: bytes, mode: int) -> None:
    """Make the file, whole or not at all, unless this process is killed. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        _write_through(descriptor, content)
    except BaseException:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def _remove_abandoned(folder: str, name: str) -> None:
    """Remove the temporary files of `name` whose writers are gone. One that cannot be removed does no harm."""
    with os.scandir(folder or ".") as entries:
        for entry, _ in zip(entries, range(MAX_ENTRIES_SEARCHED), strict=False):
            pid, _, random = entry.name.removeprefix(f".{name}.").partition(".")
            if not entry.name.startswith(f".{name}.") or not _is_number(pid) or not _is_random(random):
                continue
            try:
                if _is_abandoned(entry.stat(follow_symlinks=False), int(pid)):
                    os.unlink(entry.path)
            except OSError:
                continue


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_PID_DIGITS


def _is_random(text: str) -> bool:
    return len(text) == _RANDOM_LENGTH and set(text) <= set("0123456789abcdef")


def _is_abandoned(status: os.stat_result, pid: int) -> bool:
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        return False
    return not os.path.exists(f"/proc/{pid}") or time.time() - status.st_mtime > MAX_WRITE_TIME
