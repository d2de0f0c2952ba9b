"""The box's user as the image's own files describe them, read by hand.

Never through NSS: it would load the image's libraries, built for another libc, into this process.
The entrypoint imports this: os only.
"""

import os
import stat

from litterbox_guest.errors import GuestError

MAX_TABLE = 1024 * 1024  # bytes read of /etc/passwd and of /etc/group, which may be anything in a hostile box

_FAILED = 125


class Account:
    """A user of the box: the numbers, and what the image's /etc/passwd says of them, which may be nothing."""

    __slots__ = ("gid", "groups", "home", "name", "shell", "uid")

    def __init__(self, uid: int, gid: int, home: str, etc: str = "/etc") -> None:
        self.uid = uid
        self.gid = gid
        self.home = home
        row = _passwd_row(uid, os.path.join(etc, "passwd"))
        self.name = row[0] if row else ""
        self.shell = row[6] if len(row) > 6 else ""
        self.groups = [gid, *_groups(self.name, gid, os.path.join(etc, "group"))]

    def assume(self) -> None:
        """Become this user, for good: no group, no saved id and no capability stays. Raises GuestError."""
        try:
            self._set_groups()
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
        except OSError as error:
            raise GuestError(f"only root of the box can start a session: {error.strerror}", _FAILED) from error
        if os.getresuid() != (self.uid,) * 3 or os.getresgid() != (self.gid,) * 3:
            raise GuestError("the user's ids could not be taken on", _FAILED)

    def _set_groups(self) -> None:
        try:
            os.setgroups(self.groups)
        except OSError:  # the image names a group beyond the subordinate ids
            os.setgroups([self.gid])


def of_the_box(environment: dict[str, str]) -> Account:
    """The user that LITTERBOX_UID and LITTERBOX_GID name; raises GuestError where they name none, or root."""
    uid, gid = (environment.get(key, "") for key in ("LITTERBOX_UID", "LITTERBOX_GID"))
    if not (uid.isdecimal() and gid.isdecimal() and int(uid) > 0):
        raise GuestError("the container does not say who its user is (LITTERBOX_UID, LITTERBOX_GID)", _FAILED)
    return Account(int(uid), int(gid), "/home/user")


def enrol(user: Account, name: str, etc: str = "/etc") -> None:
    """Give a user whom the image does not know a row in its tables, or ssh and sudo would refuse to run.

    Does nothing where the name is another user's, or where the tables are no files. HostNames as root of the box.
    """
    passwd, group = os.path.join(etc, "passwd"), os.path.join(etc, "group")
    if any(row[0] == name for row in _rows(passwd)):
        return
    _append(passwd, f"{name}:*:{user.uid}:{user.gid}::{user.home}:/bin/sh\n")
    if not any(len(row) > 2 and row[2] == str(user.gid) for row in _rows(group)):
        _append(group, f"{name}:*:{user.gid}:\n")


def _append(path: str, row: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o644)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            ended = status.st_size == 0 or os.pread(descriptor, 1, status.st_size - 1) == b"\n"
            os.write(descriptor, (row if ended else f"\n{row}").encode())
    finally:
        os.close(descriptor)


def root() -> Account:
    return Account(0, 0, "/root")


def _passwd_row(uid: int, path: str) -> list[str]:
    for row in _rows(path):
        if len(row) > 2 and row[2] == str(uid):
            return row
    return []


def _groups(name: str, gid: int, path: str) -> list[int]:
    """The further groups that list `name` as a member."""
    if not name:
        return []
    rows = (row for row in _rows(path) if len(row) > 3 and row[2].isdecimal())
    return [int(row[2]) for row in rows if name in row[3].split(",") and int(row[2]) != gid]


def _rows(path: str) -> list[list[str]]:
    """The lines of a file, split at colons; none where it is not a file: opening a FIFO would wait for a writer."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return []
    with open(descriptor, encoding="utf-8", errors="surrogateescape") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return []
        try:
            return [line.rstrip("\n").split(":") for line in file.read(MAX_TABLE).splitlines()]
        except OSError:
            return []
