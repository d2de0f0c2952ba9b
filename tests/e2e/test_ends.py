"""Whatever happens to a box, its daemon or Podman: `stop` ends it, the next `enter` works, and no other box notices."""

import glob
import json
import os
import shutil
import signal
import subprocess
import time

import pytest
from support.storms import repeated
from support.user import LONG_ENOUGH, alive, kill, podman, wait_until

STOP_WITHIN = 20.0  # seconds
FILL = "head -c 200M /dev/zero >filler 2>/dev/null; head -c 1 /dev/zero >one 2>/dev/null || echo full"
LEASE = """
import fcntl, signal, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open("/session.lock")
while True:
    try:
        fcntl.fcntl(file, 1024, fcntl.F_RDLCK)
        print("leased", flush=True)
        time.sleep(1000)
    except OSError:
        time.sleep(0.01)
"""


@pytest.fixture
def full_disk(user):
    """The user's ~/Litterbox is a file system of its own, with little room."""
    os.mkdir(user.root)
    options = f"size=64m,uid={os.getuid()},gid={os.getgid()},mode=700"
    subprocess.run(["sudo", "mount", "-t", "tmpfs", "-o", options, "small", user.root], check=True)
    yield
    subprocess.run(["sudo", "umount", "--lazy", user.root], check=True)


@pytest.fixture
def box(user):
    user.define_and_build("work")
    return "work"


@pytest.fixture
def other(user, box):
    """Another box in use; yields what tells that it goes on."""
    user.define_and_build("other")
    with user.start("enter", "other", "--", "cat", stdin=subprocess.PIPE) as session:

        def goes_on():
            session.stdin.write("hello\n")
            session.stdin.flush()
            assert session.stdout.readline() == "hello\n"
            before = time.monotonic()
            assert user.litterbox("enter", "other", "--", "echo", "there").stdout == "there\n"
            assert time.monotonic() - before < STOP_WITHIN

        goes_on()
        yield goes_on
        session.stdin.close()
        session.wait(LONG_ENOUGH)


def processes(box):
    """PID 1 of the box, and its conmon."""
    state = podman("container", "inspect", "--format", "{{.State.Pid}} {{.State.ConmonPid}}", f"lbx-{box}").stdout
    return tuple(map(int, state.split()))


def stop(user, box):
    before = time.monotonic()
    done = user.litterbox("stop", box)
    assert time.monotonic() - before < STOP_WITHIN
    return done


def works_again(user, box):
    assert user.litterbox("enter", box, "--", "echo", "again").stdout == "again\n"
    user.wait_until_over(box)


def freeze_daemon(user, box):
    os.kill(user.daemon(box), signal.SIGSTOP)


def kill_conmon(user, box):
    kill(processes(box)[1])


def put_fifos(user, box):
    script = "rm /etc/passwd /etc/group && mkfifo /etc/passwd /etc/group"
    user.litterbox("enter", box, "--root", "--", "sh", "-c", script)
    user.litterbox("settings", box, "set", "notify", "false")  # the daemon starts a process in the box for that


def fill_disk(user, box):
    assert user.litterbox("enter", box, "--", "sh", "-c", FILL).stdout == "full\n"


@pytest.mark.usefixtures("full_disk")
@pytest.mark.parametrize("trouble", [freeze_daemon, kill_conmon, put_fifos, fill_disk])
def test_a_box_in_trouble_is_stopped_and_works_again_and_the_other_one_never_notices(user, box, other, trouble):
    with user.session(box):
        trouble(user, box)
        other()
        rows = {row["name"]: row for row in json.loads(user.litterbox("list", "--json").stdout)}
        assert {name: row["state"] for name, row in rows.items()} == {box: "running", "other": "running"}
        main, _conmon = processes(box)
        stop(user, box)
        assert not alive(main)
        assert user.container_state(box) == "exited"
        assert user.daemon(box) is None
    other()
    works_again(user, box)
    other()


def test_a_frozen_daemon_holds_up_no_status_and_is_told_to_who_enters(user, box, other):
    with user.session(box):
        freeze_daemon(user, box)
        done = user.litterbox("status")
        assert "work did not answer within 2 s" in done.stderr
        assert "which does not answer" in done.stdout
        done = user.litterbox("enter", box, "true", status=125)
        assert "litterbox stop work" in done.stderr
        assert "killing it" in stop(user, box).stderr


@pytest.mark.usefixtures("full_disk")
def test_a_box_on_a_full_disk_is_entered_to_be_cleaned_up(user, box):
    user.litterbox("enter", box, "--", "sh", "-c", FILL)
    user.wait_until_over(box)
    with user.session(box):
        assert user.litterbox("enter", box, "--", "sh", "-c", "rm filler; echo >after && echo room").stdout == "room\n"


@pytest.mark.usefixtures("full_disk")
def test_a_first_entry_on_a_full_disk_is_finished_by_the_next(user):
    skel = (
        "rm -rf /etc/skel && mkdir /etc/skel && for n in 1 2 3; do head -c 1000000 /dev/zero >/etc/skel/.file$n; done"
    )
    user.define_and_build("work", f"FROM localhost/litterbox-test-base\nRUN {skel}\n")
    filler = f"{user.root}/filler"
    subprocess.run(["sh", "-c", f"head -c 200M /dev/zero >{filler}"], stderr=subprocess.DEVNULL, check=False)
    os.truncate(filler, os.path.getsize(filler) - 1_300_000)
    done = user.litterbox("enter", "work", "--", "true")
    assert "No space left on device" in done.stderr
    os.unlink(filler)
    sizes = "cd && stat -c %s .file1 .file2 .file3"
    assert user.litterbox("enter", "work", "--", "sh", "-c", sizes).stdout.split() == ["1000000"] * 3


def test_a_box_without_conmon_that_ends_is_not_called_running(user, box):
    with user.session(box):
        kill_conmon(user, box)
    user.wait_until_over(box)
    assert "corrected" in user.litterbox("logs", box).stdout
    works_again(user, box)


def test_podman_is_corrected_where_box_and_daemon_died_with_conmon(user, box):
    with user.session(box) as session:
        main, conmon = processes(box)
        kill(user.daemon(box))
        kill(conmon)
        subprocess.run(["sudo", "kill", "-KILL", str(main)], check=True)
        session.wait(LONG_ENOUGH)
    assert user.container_state(box) == "running"
    done = user.litterbox("list")
    assert "Podman still called the box work running" in done.stderr
    assert "stopped" in done.stdout
    assert user.container_state(box) == "exited"
    works_again(user, box)


def test_a_daemon_that_was_killed_just_now_is_replaced(user, box):
    with user.session(box):
        for _ in range(repeated(8, usual=3)):
            os.kill(user.daemon(box), signal.SIGKILL)  # and its end is not waited for
            user.litterbox("enter", box, "true")


def test_a_lease_of_the_box_on_the_session_lock_holds_up_nobody(user, box):
    lease = ["--", "/litterbox-runtime/bin/python3", "-ISc", LEASE]
    with user.session(box), user.start("enter", box, *lease) as holder:
        wait_until(lambda: len(user.sessions_in_lock(box)) == 2, what="the second session")
        before = time.monotonic()
        user.litterbox("enter", box, "true")
        assert time.monotonic() - before < STOP_WITHIN  # a lease would be broken after 45 s
        kill(user.daemon(box))
        assert holder.stdout.readline() == "leased\n"
        done = user.litterbox("enter", box, "true", status=125)
        assert "holds a lease on its session lock" in done.stderr
        stop(user, box)
    works_again(user, box)


def test_a_box_under_which_a_logout_emptied_the_runtime_folder_is_stopped_and_works_again(user, box):
    runtime = user.environment["XDG_RUNTIME_DIR"]
    with user.session(box):
        main, _conmon = processes(box)
        for kept in ("litterbox", "containers", "libpod", "netns", "crun"):
            shutil.rmtree(f"{runtime}/{kept}", ignore_errors=True)
        assert not glob.glob(f"{runtime}/litterbox/*")
        row = user.status(box)
        assert (row["running"], row["answers"]) == (True, False)
        done = user.litterbox("enter", box, "true", status=125)
        assert "its socket is gone" in done.stderr
        assert f"litterbox stop {box}" in done.stderr
        stop(user, box)
        assert not alive(main)
    works_again(user, box)


def test_a_box_whose_dockerfile_is_gone_is_a_box_until_it_is_deleted(user, box):
    [row] = json.loads(user.litterbox("list", "--json").stdout)
    with user.session(box):
        os.unlink(row["definition"])
        kill(user.daemon(box))
        assert user.litterbox("enter", box, "--", "echo", "in").stdout == "in\n"
        [row] = json.loads(user.litterbox("list", "--json").stdout)
        assert (row["name"], row["state"], row["definition"]) == (box, "running", None)
        assert user.status(box)["running"]
        assert "serves the box" in user.litterbox("logs", box).stdout
        assert "Stopped" in stop(user, box).stderr
    assert "does not run" in stop(user, box).stderr
    works_again(user, box)
    assert "There is no box" in user.litterbox("build", box, status=1).stderr
    user.litterbox("delete", box, "--yes")
    assert "There is no box" in user.litterbox("stop", box, status=1).stderr
