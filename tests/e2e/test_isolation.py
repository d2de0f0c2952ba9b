"""What the box cannot do: write what is the host's, see what is not its own, freeze or blind the host."""

import contextlib
import ctypes
import os
import signal
import time

import pytest
from support.user import LONG_ENOUGH, wait_until


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


def in_box(user, script, *, root=False):
    """Run a shell script in the box, as its user or as its root; returns its exit status and output."""
    done = user.litterbox("enter", "work", *["--root"] * root, "--", "sh", "-c", script, status=None)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("root", [False, True])
@pytest.mark.parametrize("path", ["/session.lock", "/litterbox", "/litterbox-runtime/x", "/run/user/1000/litterbox/x"])
def test_the_hosts_files_are_read_only(user, box, path, root):
    status, said = in_box(user, f"echo x >> {path}", root=root)
    assert status != 0
    assert any(words in said for words in ("Read-only file system", "Permission denied", "denied")), said


@pytest.mark.parametrize("root", [False, True])
def test_the_socket_folder_cannot_be_changed(user, box, root):
    for command in ("rm", "mv -t ~", "chmod 777"):
        status, said = in_box(user, f"{command} /run/user/1000/litterbox/ssh-agent.sock", root=root)
        assert status != 0
        assert "Read-only file system" in said


def test_root_cannot_make_the_mounts_writable(user, box):
    status, said = in_box(user, "mount -o remount,rw /session.lock || umount /session.lock", root=True)
    assert status != 0, said


def test_nothing_else_of_the_host_is_seen(user, box):
    os.makedirs(f"{user.root}/homes/other", exist_ok=True)
    with open(f"{user.root}/homes/other/secret", "w") as file:
        file.write("precious")
    user.litterbox("keys", "generate", "unattached")
    _, found = in_box(
        user,
        "find / -xdev \\( -name secret -o -name keys.ron -o -name '*.control.sock' -o -name '.enter-*' \\);"
        " ls /run/user/1000/litterbox; ls /home",
        root=True,
    )
    assert found.split() == ["ssh-agent.sock", "work.sock", "user"]
    _, mounts = in_box(user, "cat /proc/self/mountinfo")
    podmans = ("/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv")
    targets = {target for line in mounts.splitlines() if not (target := line.split()[4]).startswith(podmans)}
    ours = {"/litterbox", "/litterbox-runtime", "/session.lock", "/home/user", "/run/user/1000/litterbox"}
    assert targets == ours | {"/", "/run/user/1000"}


def test_a_lock_held_in_the_box_does_not_stop_the_host(user, box):
    with user.session(box), user.start("enter", box, "--root", "--", "flock", "/session.lock", "sleep", "1000"):
        wait_until(lambda: "flock" in in_box(user, "ps ax")[1], what="flock in the box")
        assert user.litterbox("enter", box, "echo", "not frozen").stdout == "not frozen\n"
        user.litterbox("stop", box)
    assert user.is_over(box)


def test_a_box_that_used_up_inotify_does_not_blind_the_watchers(user, box):
    with open("/proc/sys/fs/inotify/max_user_instances") as file:
        instances = int(file.read())
    for _ in range(10):  # what another program of the user's gives back meanwhile, the daemon gets
        with all_taken(instances), user.session(box) as first, user.session(box) as second:
            if "looking at the session lock once a second" in user.litterbox("logs", box).stdout:
                os.kill(second.pid, signal.SIGKILL)
                wait_until(lambda: user.sessions_in_lock(box) == [first.pid], what="the killed session's line gone")
                assert user.litterbox("enter", box, "echo", "in").stdout == "in\n"
                break
        user.wait_until_over(box)
    else:
        pytest.fail("the daemon had an inotify instance each time")
    user.wait_until_over(box)


def test_the_root_of_the_box_may_ask_the_agent_too(user, person, box):
    with user.start("enter", box, "--root", "--", "ssh-add", "-l") as listing:
        person.approve(box)
        said, _ = listing.communicate(timeout=LONG_ENOUGH)
    assert "no identities" in said


@contextlib.contextmanager
def all_taken(instances):
    """Every inotify instance that the user may have is taken before the daemon and PID 1 of the box start."""
    taken = []
    try:
        for _ in range(3):  # what ended a moment ago still gives some back
            with contextlib.suppress(OSError):
                taken.extend(inotify_instance() for _ in range(instances + 1))
            time.sleep(0.5)
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)


def inotify_instance():
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(0)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    return descriptor


def test_a_box_that_floods_the_host_socket_is_served_still(user, box):
    flood = (
        "import socket,time\nfound=[]\n"
        "for _ in range(900):\n s=socket.socket(socket.AF_UNIX); s.connect('/run/user/1000/litterbox/work.sock');"
        " s.send(b'\\xff'*8); found.append(s)\nprint('flooded',flush=True)\ntime.sleep(1000)"
    )
    runtime = "/litterbox-runtime/bin/python3"
    with user.session(box), user.start("enter", box, "--", runtime, "-IS", "-c", flood) as flooding:
        assert flooding.stdout.readline() == "flooded\n"
        assert user.litterbox("enter", box, "echo", "served").stdout == "served\n"
    user.wait_until_over(box)
