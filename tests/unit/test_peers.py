"""Who may use a box's sockets: the user, and root of a namespace of the user's; nobody else."""

import os
import socket

import pytest

from litterbox import peers
from litterbox.peers import Peer


def test_the_peer_of_a_socket_is_the_process_that_made_it():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peers.of(ours) == Peer(os.getpid(), os.getuid())


def test_the_user_may():
    assert peers.may_use_the_box(Peer(os.getpid(), os.getuid()))


@pytest.mark.parametrize("pid", [1, os.getpid(), 2**22 - 1])
def test_another_user_may_not_whatever_the_process(pid):
    assert not peers.may_use_the_box(Peer(pid, os.getuid() + 54321))
