"""What goes wrong at an unlucky moment, or is made to, and how Litterbox comes out of it."""

import os
import signal
import subprocess
import time

import pytest
from support.user import LONG_ENOUGH, alive, kill, podman, wait_until

from litterbox import locks


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_entry_that_is_cut_short_leaves_nothing_running(user, box, delay, number):
    with user.start("enter", box, "--", "sleep", "1000") as entry:
        time.sleep(delay)  # the moment is what is tested
        entry.send_signal(number)
        entry.wait(LONG_ENOUGH)
    wait_until(lambda: user.daemon(box) is None, what="no daemon")
    wait_until(lambda: user.container_state(box) in ("created", "exited"), what="no box", within=60)
    assert user.litterbox("enter", box, "echo", "again").stdout == "again\n"
    user.wait_until_over(box)
    assert user.sessions_in_lock(box) == []


def test_a_stop_that_comes_while_the_lock_is_taken_waits_its_turn(user, box):
    with user.session(box) as session:
        with locks.hold(f"{user.root}/.enter-{box}.lock", within=10):
            session.kill()
            stopping = subprocess.Popen(["litterbox", "stop", box], env=user.environment)
            time.sleep(1)  # the daemon now waits for the lock, for both reasons
            assert stopping.poll() is None
        assert stopping.wait(LONG_ENOUGH) == 0
    assert user.is_over(box)
    assert user.litterbox("enter", box, "echo", "again").stdout == "again\n"


def test_a_frame_of_the_box_cannot_end_the_daemon(user, box):
    hostile = (
        "import socket, time; s = socket.socket(socket.AF_UNIX); s.connect('/run/user/1000/litterbox/work.sock');"
        r" b = b'{\"type\":\"hello\",\"version\":\"1\",\"container\":\"x\",\"capabilities\":[\"\\ud800\"]}';"
        " s.sendall(len(b).to_bytes(4, 'big') + b); print(s.recv(4096)[4:])"
    )
    with user.session(box):
        daemon = user.daemon(box)
        done = user.litterbox("enter", box, "--", "/litterbox-runtime/bin/python3", "-IS", "-c", hostile)
        assert "hello_ack" in done.stdout
        assert user.daemon(box) == daemon


def test_a_lost_session_lock_is_told_and_stop_ends_the_box_all_the_same(user, box):
    with user.session(box):
        os.unlink(f"{user.root}/.session-{box}.lock")
        done = user.litterbox("enter", box, "true", status=125)
        assert "session lock" in done.stderr
        user.litterbox("stop", box)
        assert user.container_state(box) == "exited"
    user.litterbox("build", box)
    assert user.litterbox("enter", box, "echo", "again").stdout == "again\n"


def test_another_container_of_the_boxs_image_is_not_the_box(user, box):
    podman("run", "--detach", "--name", "stranger", "--entrypoint", '["sleep","1000"]', f"localhost/lbx-{box}")
    assert "stopped" in user.litterbox("list").stdout
    assert "does not run" in user.litterbox("stop", box).stderr
    user.litterbox("build", box, "--rebuild")
    podman("rm", "--force", "--time=0", "stranger")
    user.litterbox("delete", box, "--yes")


def test_status_tells_of_a_box_whose_daemon_was_killed(user, box):
    with user.session(box) as session:
        kill(user.daemon(box))
        row = user.status(box)
        assert (row["daemon"], row["running"], row["sessions"]) == (None, True, [session.pid])
        assert alive(session.pid)


def test_the_box_of_another_root_is_left_alone(user, box, tmp_path):
    other = str(tmp_path / "Other")
    user.litterbox(
        "define", box, "--template", "local", "--image", "localhost/litterbox-test-base", LITTERBOX_ROOT=other
    )
    os.symlink(user.runtime, f"{other}/runtime")
    done = user.litterbox("build", box, status=1, LITTERBOX_ROOT=other)
    assert "another LITTERBOX_ROOT" in done.stderr
    assert user.litterbox("enter", box, "echo", "mine").stdout == "mine\n"


def test_a_wayland_socket_that_moved_is_told_and_build_mends_it(user, box):
    runtime = user.environment["XDG_RUNTIME_DIR"]
    sockets = [f"{runtime}/wayland-7", f"{runtime}/wayland-8"]
    with open(f"{user.root}/definitions/{box}.toml", "w") as file:
        file.write("wayland = true\n")
    servers = [subprocess.Popen(["python3", "-c", LISTEN, path], stdout=subprocess.PIPE) for path in sockets]
    try:
        for server in servers:
            server.stdout.readline()
        user.litterbox("build", box, WAYLAND_DISPLAY="wayland-7")
        shown = user.litterbox("enter", box, "--", "sh", "-c", "echo $WAYLAND_DISPLAY; ls $XDG_RUNTIME_DIR")
        assert shown.stdout.split() == ["wayland-0", "litterbox", "wayland-0"]
        user.wait_until_over(box)
        os.unlink(sockets[0])
        done = user.litterbox("enter", box, "true", status=125, WAYLAND_DISPLAY="wayland-8")
        assert sockets[0] in done.stderr
        user.wait_until_over(box)
        user.litterbox("build", box, WAYLAND_DISPLAY="wayland-8")
        user.litterbox("enter", box, "true", WAYLAND_DISPLAY="wayland-8")
        user.wait_until_over(box)
    finally:
        for server in servers:
            server.kill()
            server.communicate()
        os.unlink(sockets[1])


def test_a_folder_that_was_removed_underneath_is_no_obstacle(user, box, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f"cd {gone} && rmdir {gone} && litterbox enter {box} -- pwd && litterbox list && litterbox stop {box}"
    done = subprocess.run(["sh", "-c", script], env=user.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("/home/user\n")


def test_a_granted_socket_that_is_not_there_is_told_before_the_build(user, box):
    with open(f"{user.root}/definitions/{box}.toml", "w") as file:
        file.write("pipewire = true\n")
    done = user.litterbox("build", box, status=1)
    assert "grant pipewire, but there is no socket" in done.stderr
    assert "STEP" not in done.stderr


LISTEN = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
print("listening", flush=True)
time.sleep(1000)
"""
