"""Each permission that a box is made with: given, taken back, and given again, as it is seen from inside."""

import contextlib
import os
import socket

import pytest

# The setting, what gives it, what takes it back, and a script that succeeds in a box that has it.
GRANTS = [
    ("wayland", "true", "false", 'test -S "$XDG_RUNTIME_DIR/wayland-0" && test "$WAYLAND_DISPLAY" = wayland-0'),
    ("pipewire", "true", "false", "test -S /tmp/pipewire-0 && test $PIPEWIRE_RUNTIME_DIR = /tmp"),
    ("nested", "true", "false", "unshare --user true"),
    ("network", "pasta", "none", "tail -n +3 /proc/net/dev | grep -v '^ *lo:'"),
    ("network", "host", "none", "tail -n +3 /proc/net/dev | grep -v '^ *lo:'"),
]


@pytest.fixture
def desktop(user, tmp_path):
    """The sockets of a compositor and of PipeWire, which somebody listens on; the variables that name them."""
    runtime = user.environment["XDG_RUNTIME_DIR"]
    with contextlib.ExitStack() as stack:
        for name in ("wayland-of-a-test", "pipewire-0"):
            listening = stack.enter_context(socket.socket(socket.AF_UNIX))
            listening.bind(f"{runtime}/{name}")
            stack.callback(os.unlink, f"{runtime}/{name}")
            listening.listen()
        yield {"WAYLAND_DISPLAY": "wayland-of-a-test"}


@pytest.mark.parametrize(("key", "given", "taken", "script"), GRANTS, ids=lambda word: word.split()[0])
def test_a_grant_is_there_while_it_is_given_and_only_then(user, desktop, key, given, taken, script):
    user.define_and_build("work")
    for value, there in ((given, True), (taken, False), (given, True)):
        user.litterbox("settings", "work", "set", key, value)
        user.litterbox("build", "work", **desktop)
        done = user.litterbox("enter", "work", "--", "sh", "-c", script, status=None, **desktop)
        assert (done.returncode == 0) is there, done.stdout + done.stderr
        assert "is out of date" not in done.stderr
        user.litterbox("stop", "work", status=None)


def test_a_box_that_has_more_than_its_settings_grant_says_so_when_it_is_entered(user, desktop):
    user.define_and_build("work")
    user.litterbox("settings", "work", "set", "pipewire", "true")
    user.litterbox("build", "work", **desktop)
    user.litterbox("settings", "work", "set", "pipewire", "false")
    said = user.litterbox("enter", "work", "true", **desktop).stderr
    assert "PIPEWIRE_RUNTIME_DIR=/tmp is gone" in said
