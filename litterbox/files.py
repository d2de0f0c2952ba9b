"""Files that are never seen half-written, and folders that are the user's alone.

The warm path of `enter` imports this: os only.
"""

import os

from litterbox.errors import HostError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


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

    Whoever reads `path` sees the old content or the new, whole. On failure nothing is left behind and the old
    content stands; raises HostError with the system's reason.
    """
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".{os.path.basename(path)}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        sync_folder(folder)
    except OSError as error:
        raise HostError(f"{path} cannot be written: {error.strerror}.", "Nothing was changed.") from error


def sync_folder(folder: str) -> None:
    """Make a rename in `folder` last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
