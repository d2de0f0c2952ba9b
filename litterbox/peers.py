"""Who is at the other end of a Unix socket, and whether that is the user or the root of a box of the user's."""

import os
import socket
import struct

import attrs
import trio

_MAX_ROOTS = 16  # a box has one, and those of the namespaces that it makes itself

_UCRED = struct.Struct("3i")  # struct ucred: pid, uid, gid (unix(7))


@attrs.frozen
class Peer:
    """The process that connected, as it was then (SO_PEERCRED)."""

    pid: int
    uid: int


def of(connection: socket.socket | trio.socket.SocketType) -> Peer:
    """The peer of a connected Unix socket."""
    pid, uid, _gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return Peer(pid, uid)


def may_use_the_box(peer: Peer) -> bool:
    """Say whether the peer is the user's own process, or root in a user namespace of the user's; nobody else may."""
    return peer.uid == os.getuid() or _is_box_root(peer.pid, peer.uid)


@attrs.define
class BoxPeers:
    """Who may use the sockets of a box: the user's own processes, and root in a user namespace of the user's.

    State: the uids that were found to be such a root. That is a fact about the uid, not about the process that it was
    found by: only this user can have a namespace that maps both the user and that uid, which is one of the user's
    subordinate ids. So it still holds when the process has ended, or its number is another's.
    """

    _roots: set[int] = attrs.field(factory=set, init=False)

    def may_use(self, peer: Peer) -> bool:
        """As may_use_the_box; but a root that was found once may have ended since it connected.

        `/litterbox wait`, which is root of the box, connects when the box starts.
        """
        if peer.uid in self._roots:
            return True
        if not may_use_the_box(peer):
            return False
        if len(self._roots) < _MAX_ROOTS:
            self._roots.add(peer.uid)
        return True


def _is_box_root(pid: int, uid: int) -> bool:
    """Only this user can make a namespace that maps both this user and one of the user's subordinate ids."""
    try:
        with open(f"/proc/{pid}/uid_map", encoding="ascii") as file:
            ranges = [tuple(map(int, line.split())) for line in file]
    except (OSError, ValueError):
        return False
    holds_user = any(outside <= os.getuid() < outside + length for _inside, outside, length in ranges)
    return holds_user and any((inside, outside) == (0, uid) for inside, outside, _length in ranges)
