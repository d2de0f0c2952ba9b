"""`/litterbox wait` as PID 1 of a real box: what it keeps tidy, whom it ends, and when it leaves."""

import json
import os
import socket
import subprocess
import time

import pytest
from support import guest_box

from litterbox import paths, sessions
from litterbox.container import podman


@pytest.fixture
def box(request):
    with guest_box.running("g-wait") as running:
        assert guest_box.eventually(running.obeys)
        yield running


def has_process(box, word):
    script = f"for d in /proc/[0-9]*; do tr '\\0' ' ' < $d/cmdline; echo; done 2>/dev/null | grep -c '{word}' || true"
    return int(box.as_root("sh", "-c", script.replace(word, f"[{word[0]}]{word[1:]}"))) > 0


def test_it_leaves_when_the_lock_is_emptied(box):
    began = time.monotonic()
    box.list_sessions()

    assert box.wait() == 0
    assert time.monotonic() - began < 20  # an abandoned one would leave after 30
    assert "no session is left" in box.logs()


def test_it_does_not_stay_when_the_lock_is_empty_at_the_start(box):
    box.list_sessions()
    box.wait()

    podman.run("start", box.container)

    assert box.wait() == 0


def test_a_changed_lock_that_is_not_empty_is_no_reason_to_leave(box):
    box.list_sessions(guest_box.session(1), guest_box.session(2))
    box.list_sessions(guest_box.session(2))
    time.sleep(1)

    assert box.is_running()


@pytest.mark.parametrize("number", ["TERM", "INT"])
def test_it_obeys_a_signal(box, number):
    time.sleep(1)

    podman.run("kill", f"--signal={number}", box.container)

    assert box.wait() == 0


def test_it_obeys_as_soon_as_it_runs():
    with guest_box.running("g-early") as box:
        assert guest_box.eventually(box.obeys)

        podman.run("kill", "--signal=TERM", box.container)

        assert box.wait() == 0


def test_orphans_are_reaped(box):
    box.output("--", "sh", "-c", "for i in 1 2 3 4 5; do (sleep 0.2 &) ; done")
    time.sleep(1)

    states = box.as_root("sh", "-c", "cat /proc/[0-9]*/stat | sed 's/.*) //' | cut -c1")

    assert "Z" not in states


def test_who_is_asked_to_end_has_a_moment_for_it(box):
    trap = 'trap "sleep 0.3; echo saved > /home/user/work; exit" TERM'
    with subprocess.Popen(box.entry("--", "sh", "-c", f"{trap}; touch ~/up; while :; do sleep 0.1; done")):
        assert guest_box.eventually((box.home / "up").exists)
        box.list_sessions()
        box.wait()

    assert (box.home / "work").read_text() == "saved\n"


class TestDepartedSession:
    def begin(self, box, script, number=1):
        """Start a session and wait until its command runs; returns `podman exec`."""
        session = guest_box.session(number)
        client = subprocess.Popen(
            box.entry("--", "bash", "-c", f"touch ~/up-{number}; {script}", session=session),
            stdin=subprocess.DEVNULL,
        )
        assert guest_box.eventually((box.home / f"up-{number}").exists)
        return client

    @pytest.fixture(autouse=True)
    def two_sessions(self, box):
        box.list_sessions(guest_box.session(), guest_box.session(1))

    def depart(self, box, client):
        client.kill()
        client.wait()
        box.list_sessions(guest_box.session())

    def test_killing_podman_exec_alone_ends_nothing_inside(self, box):
        client = self.begin(box, "exec sleep 1001")
        client.kill()
        client.wait()
        time.sleep(1)

        assert has_process(box, "sleep 1001")

    def test_its_shell_and_what_runs_in_front_of_it_get_a_hang_up(self, box):
        client = self.begin(box, "sleep 1002; true")

        self.depart(box, client)

        assert guest_box.eventually(lambda: not has_process(box, "sleep 1002"), within=3)
        assert not has_process(box, "touch ~/up-1")
        assert box.is_running()

    def test_a_shell_that_ignores_it_is_killed(self, box):
        client = self.begin(box, 'trap "" HUP TERM; while :; do sleep 0.2; done')

        self.depart(box, client)

        time.sleep(3)
        assert has_process(box, "touch ~/up-1")
        assert guest_box.eventually(lambda: not has_process(box, "touch ~/up-1"), within=7)

    def test_a_stopped_one_too(self, box):
        client = self.begin(box, "kill -STOP $$; sleep 1003")

        self.depart(box, client)

        assert guest_box.eventually(lambda: not has_process(box, "touch ~/up-1"), within=3)

    def test_one_that_runs_as_root_or_hides_its_environment_too(self, box):
        session = guest_box.session(1)
        client = subprocess.Popen(
            box.entry("--root", "--", "env", "-i", "/bin/sleep", "1004", session=session), stdin=subprocess.DEVNULL
        )
        assert guest_box.eventually(lambda: has_process(box, "sleep 1004"))

        self.depart(box, client)

        assert guest_box.eventually(lambda: not has_process(box, "sleep 1004"), within=3)

    def test_other_sessions_are_left_alone(self, box):
        box.list_sessions(guest_box.session(), guest_box.session(1), guest_box.session(2))
        departing = self.begin(box, "exec sleep 1005", 1)
        staying = self.begin(box, "exec sleep 1006", 2)

        departing.kill()
        departing.wait()
        box.list_sessions(guest_box.session(), guest_box.session(2))

        assert guest_box.eventually(lambda: not has_process(box, "sleep 1005"))
        time.sleep(6)
        assert has_process(box, "sleep 1006")
        staying.kill()
        staying.wait()

    def test_what_it_left_in_the_background_on_purpose_stays(self, box):
        client = self.begin(box, "setsid sleep 1007 & sleep 0.5; exit 0")
        assert client.wait() == 0

        box.list_sessions(guest_box.session())
        time.sleep(6)

        assert has_process(box, "sleep 1007")

    def test_its_record_goes_with_it(self, box):
        client = self.begin(box, "exec sleep 1008")
        assert sessions.label(guest_box.session(1)) in box.as_root("ls", "/run/litterbox/sessions")

        self.depart(box, client)

        assert guest_box.eventually(lambda: not box.as_root("ls", "-A", "/run/litterbox/sessions").strip())


class TestHostLink:
    @pytest.fixture
    def daemon(self, box):
        """A listening socket where the host daemon's is."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(paths.host_socket(box.name))
            listener.listen()
            listener.settimeout(10)
            yield listener
        os.unlink(paths.host_socket(box.name))

    def hello(self, connection):
        length = int.from_bytes(connection.recv(4), "big")
        return json.loads(connection.recv(length))

    def test_it_says_hello_to_the_daemon(self, box, daemon):
        connection, _ = daemon.accept()
        with connection:
            assert self.hello(connection) == {
                "type": "hello",
                "version": "0.1.0",
                "container": "g-wait",
                "capabilities": [],
            }

    def test_it_connects_again_when_the_daemon_does(self, box, daemon):
        connection, _ = daemon.accept()
        connection.close()
        os.unlink(paths.host_socket(box.name))
        with socket.socket(socket.AF_UNIX) as successor:
            successor.bind(paths.host_socket(box.name))
            time.sleep(0.02)
            successor.listen()
            successor.settimeout(10)
            connection, _ = successor.accept()
            with connection:
                assert self.hello(connection)["type"] == "hello"

    def test_an_abandoned_box_ends_by_itself(self, box):
        began = time.monotonic()

        assert box.wait() == 0
        assert 29 < time.monotonic() - began < 90
        assert "abandoned" in box.logs()

    def test_connected_it_sleeps(self, box, daemon):
        connection, _ = daemon.accept()
        with connection:
            self.hello(connection)
            time.sleep(2)

            def wakeups():
                status = box.as_root("cat", "/proc/1/status").splitlines()
                return next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt_switches"))

            def sleeps():
                before = wakeups()
                time.sleep(10)
                return wakeups() - before <= 1

            # On a busy machine a process is woken to wait for the kernel, but not in each ten seconds.
            assert any(sleeps() for _ in range(3))


class TestImage:
    """What PID 1 takes from the image: nothing. Its programs leave marks, and the loader writes down what it loads."""

    LOADER_TELLS = ("--env=LD_DEBUG=files", "--env=LD_DEBUG_OUTPUT=/marks/loaded")

    @pytest.fixture
    def box(self, marking_image):
        with guest_box.running("g-marks", marking_image, extra=self.LOADER_TELLS) as running:
            assert guest_box.eventually(running.obeys)
            yield running

    def marks(self, box):
        return box.as_root("ls", "/marks").split()

    def loaded_by_pid_1(self, box):
        lines = box.as_root("cat", "/marks/loaded.1").splitlines()
        return {line.partition("calling init: ")[2] for line in lines if "calling init: " in line}

    def test_none_of_its_programs_is_run(self, box):
        box.output("--", "true")
        box.list_sessions(guest_box.session(), guest_box.session(1))
        time.sleep(1)

        assert "run" not in self.marks(box)

    def test_none_of_its_libraries_is_loaded(self, box):
        loaded = self.loaded_by_pid_1(box)

        assert any("libssl" in path for path in loaded)
        assert [path for path in loaded if not path.startswith("/litterbox-runtime/")] == []

    @pytest.mark.parametrize("careless", ["import ctypes.util; ctypes.util.find_library('c')", "import trio"])
    def test_it_would_tell_of_a_program(self, box, careless):
        site = "import glob, sys; sys.path += glob.glob('/litterbox-runtime/lib*/python3*/site-packages')"
        box.as_root("/litterbox-runtime/bin/python3", "-ISXutf8", "-c", f"{site}; {careless}")

        assert "run" in self.marks(box)

    def test_it_would_tell_of_a_library(self, box):
        box.as_root("/litterbox-runtime/bin/python3", "-ISXutf8", "-c", "import hashlib, ssl")

        assert "calling init: /provider.so" in box.as_root("sh", "-c", "cat /marks/loaded.*")


@pytest.fixture
def no_inotify():
    """In Podman's own user namespace, so that the rest of the machine keeps its instances."""
    limit = "/proc/sys/user/max_inotify_instances"
    before = podman.run("unshare", "cat", limit).strip()
    podman.run("unshare", "sh", "-c", f"echo 0 > {limit}")
    yield
    podman.run("unshare", "sh", "-c", f"echo {before} > {limit}")


def test_without_inotify_the_lock_is_looked_at_every_second(no_inotify):
    with guest_box.running("g-blind") as box:
        assert guest_box.eventually(lambda: "inotify is not available" in box.logs())
        box.list_sessions(guest_box.session(1))
        time.sleep(1.5)
        assert box.is_running()

        box.list_sessions()

        assert box.wait() == 0
        assert box.logs().count("inotify") == 1


def test_from_scratch_it_runs_and_leaves(scratch_image):
    with guest_box.running("g-scratch-wait", scratch_image) as box:
        assert guest_box.eventually(lambda: box.output("--", "/busybox", "echo", "in") == "in\n")
        box.list_sessions()

        assert box.wait() == 0


def test_the_box_cannot_change_what_is_mounted(box):
    for path in ("/session.lock", "/litterbox", "/litterbox-runtime/litterbox", "/litterbox-runtime/new"):
        done = box.enter("--root", "--", "sh", "-c", f"echo x >> {path}")
        assert "Read-only file system" in done.stderr
