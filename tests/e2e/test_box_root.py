"""The root of a box may use its sockets, also where it has ended before the daemon looked at it."""

import os
import signal

from support.user import podman

HELLO = """
import socket, sys
frame = b'{"type":"hello","version":"1","container":"work","capabilities":[]}'
with socket.socket(socket.AF_UNIX) as host:
    host.connect(sys.argv[1])
    host.sendall(len(frame).to_bytes(4, "big") + frame)
    if sys.argv[2:]:
        print(host.recv(1000))
"""


def hello(user, uid, *words):
    path = f"{user.environment['XDG_RUNTIME_DIR']}/litterbox/work.sock"
    python = "/litterbox-runtime/bin/python3"
    return podman("exec", f"--user={uid}", "lbx-work", python, "-IS", "-c", HELLO, path, *words).stdout


def test_a_root_that_ended_before_it_was_accepted_is_not_refused_for_it(user):
    user.define_and_build("work")
    with user.session("work"):
        assert "hello_ack" in hello(user, 0, "wait")
        daemon = user.daemon("work")
        os.kill(daemon, signal.SIGSTOP)
        try:
            hello(user, 0)
        finally:
            os.kill(daemon, signal.SIGCONT)
        assert "hello_ack" in hello(user, os.getuid(), "wait")  # accepted behind it
        assert "may not connect" not in user.litterbox("logs", "work").stdout
