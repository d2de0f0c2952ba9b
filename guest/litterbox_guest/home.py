"""The first entry prepares the home: fills an empty one from /etc/skel, and runs the image's /prep-home.sh once.

The home belongs to the user, who may have planted links in it: all of it happens as the user, in a child. An entry that
is interrupted, or finds the disk full, leaves a note in the home, and the next one copies what is still missing.
"""

import contextlib
import fcntl
import os
import stat
import sys

from litterbox_guest.account import Account
from litterbox_guest.errors import GuestError

_FAILED = 125
_COPIED = 64 * 1024  # bytes at a time
_BEGUN = "home-begun"  # the note, beside the marker
_PARTIAL = ".litterbox-partial"  # ends the name of a file that is not copied whole yet


def prepare(marker: str, account: Account, environment: dict[str, str], *, lock: str, skel: str, script: str) -> None:
    """Prepare the account's home, then make `marker` in it; a failure is one line on stderr, and no marker.

    HostNames as root. `lock` is a file that only root can open: entries at the same moment wait for the first.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _take(descriptor)
        if os.path.lexists(marker):
            return
        child = os.fork()
        if child == 0:
            os._exit(_prepare_as(marker, account, environment, skel, script))
        os.waitpid(child, 0)
    finally:
        os.close(descriptor)


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("another entry is preparing the home; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _prepare_as(marker: str, account: Account, environment: dict[str, str], skel: str, script: str) -> int:
    """The whole life of the child; whatever goes wrong ends here and not in the parent's code."""
    try:
        account.assume()
        os.chdir(account.home)
        begun = os.path.join(os.path.dirname(marker), _BEGUN)
        if not os.listdir(".") or os.path.lexists(begun):
            _touch(begun)
            _copy(skel, ".")
        _run(script, environment)
        _touch(marker)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(begun)
    except GuestError as error:
        _say(f"{error.sentence}; the next entry tries again")
    except OSError as error:
        _say(f"the home could not be prepared: {error.strerror}: {error.filename}; the next entry tries again")
    else:
        return 0
    return 1


def _touch(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def _copy(source: str, target: str) -> None:
    """Copy what `target` lacks of the files, links and folders in the folder `source`, with their modes."""
    if not os.path.isdir(source):
        return
    for entry in os.scandir(source):
        copy = os.path.join(target, entry.name)
        mode = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
        if entry.is_dir(follow_symlinks=False):
            with contextlib.suppress(FileExistsError):
                os.mkdir(copy)
            if not os.path.islink(copy) and os.path.isdir(copy):
                _copy(entry.path, copy)
                os.chmod(copy, mode)
        elif os.path.lexists(copy):
            continue
        elif entry.is_symlink():
            os.symlink(os.readlink(entry.path), copy)
        elif entry.is_file():
            _copy_file(entry.path, copy, mode)


def _copy_file(source: str, target: str, mode: int) -> None:
    """A file has its name only when it is whole."""
    partial = target + _PARTIAL
    try:
        with open(source, "rb") as content, open(partial, "wb") as copy:
            while piece := content.read(_COPIED):
                copy.write(piece)
            os.fchmod(copy.fileno(), mode)
        os.rename(partial, target)
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise OSError(error.errno, error.strerror, target) from error


def _run(script: str, environment: dict[str, str]) -> None:
    """Run the image's script, if there is one, its output on stderr: the command's own stays clean."""
    if not os.path.exists(script):
        return
    arguments = [script] if os.access(script, os.X_OK) else ["/bin/sh", script]
    child = os.posix_spawn(
        arguments[0],
        arguments,
        environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
    )
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise GuestError(f"{script} {how}", _FAILED)


def _say(sentence: str) -> None:
    print(f"litterbox: {sentence}", file=sys.stderr, flush=True)
