"""Who may connect to a box's sockets: the user, and the root of a box of the user's; nobody else."""

import logging
import os

import trio

from litterbox.daemon.control import peer

_log = logging.getLogger(__name__)


def accepts(stream: trio.SocketStream) -> bool:
    """Say whether the process at the other end is the user's, or root in a user namespace that holds the user."""
    pid, uid, _gid = peer(stream)
    if uid == os.getuid() or _is_box_root(pid, uid):
        return True
    _log.warning("a connection of uid %d (process %d) was refused", uid, pid)
    return False


def _is_box_root(pid: int, uid: int) -> bool:
    """Only this user can make a namespace that maps both this user and one of the user's subordinate ids."""
    try:
        with open(f"/proc/{pid}/uid_map", encoding="ascii") as file:
            rows = [[int(word) for word in line.split()] for line in file]
    except (OSError, ValueError):
        return False
    ranges = [(inside, outside, length) for inside, outside, length in rows]
    holds_user = any(outside <= os.getuid() < outside + length for _inside, outside, length in ranges)
    return holds_user and any(inside == 0 and outside == uid for inside, outside, _length in ranges)
