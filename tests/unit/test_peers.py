"""Who may use a box's sockets: the user, and root of a namespace of the user's; nobody else."""

import os
import socket

import pytest

from litterbox import peers
from litterbox.peers import BoxPeers, Peer


def test_the_peer_of_a_socket_is_the_process_that_made_it():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peers.of(ours) == Peer(os.getpid(), os.getuid())


def test_the_user_may():
    assert peers.may_use_the_box(Peer(os.getpid(), os.getuid()))


@pytest.mark.parametrize("pid", [1, os.getpid(), 2**22 - 1])
def test_another_user_may_not_whatever_the_process(pid):
    assert not peers.may_use_the_box(Peer(pid, os.getuid() + 54321))


ROOT = os.getuid() + 100_000
ENDED = 2**22 - 1


@pytest.fixture
def maps(monkeypatch):
    """The uid_map of each process, in place of /proc's."""
    known = {}

    def is_box_root(pid, uid):
        return known.get(pid) == uid

    monkeypatch.setattr(peers, "_is_box_root", is_box_root)
    return known


def test_the_root_of_a_box_may_also_when_it_ended_before_it_was_accepted(maps):
    box = BoxPeers()
    assert not box.may_use(Peer(ENDED, ROOT))  # nothing says what it was
    maps[71] = ROOT
    assert box.may_use(Peer(71, ROOT))
    assert box.may_use(Peer(ENDED, ROOT))


def test_a_root_that_is_known_lets_no_other_uid_in(maps):
    box = BoxPeers()
    maps[71] = ROOT
    assert box.may_use(Peer(71, ROOT))
    assert not box.may_use(Peer(71, ROOT + 1))
    assert not box.may_use(Peer(ENDED, ROOT + 1))


def test_what_is_remembered_is_bounded(maps):
    box = BoxPeers()
    for number in range(1000):
        maps[number] = ROOT + number
        assert box.may_use(Peer(number, ROOT + number))
    assert not box.may_use(Peer(ENDED, ROOT + 999))
    assert box.may_use(Peer(ENDED, ROOT))
