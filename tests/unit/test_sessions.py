"""The session lock is true about the living, is rewritten in place, and cannot be used to hold up the host."""

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from litterbox import sessions
from litterbox.errors import HostError, LitterboxError
from litterbox.sessions import SessionLock

LEASE = """
import fcntl, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
file = open(sys.argv[1])
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
print("leased", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "session.lock")
    sessions.prepare(path)
    return path


@pytest.fixture
def lock(path):
    with SessionLock(path) as lock:
        yield lock


@pytest.fixture
def sleeper():
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.wait()
    child.stdin.close()


@pytest.fixture
def lease(path):
    """A lease on the lock, as the box's user can take one; broken by the kernel after 45 seconds."""
    child = subprocess.Popen([sys.executable, "-c", LEASE, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"leased\n"
    yield child
    child.kill()
    child.communicate()


def session_of(child):
    return child.pid, sessions.start_time(child.pid)


def lines(path):
    with open(path) as file:
        return file.read().rstrip("\0")


def test_a_session_is_its_pid_and_start_time(path, lock):
    lock.add(sessions.own())
    assert lines(path) == f"{os.getpid()} {sessions.start_time(os.getpid())}\n"


def test_a_reused_pid_is_not_a_live_session(path):
    pid, started = sessions.own()
    with open(path, "w") as file:
        file.write(f"{pid} {started - 1}\n")
    assert sessions.read(path) == []


def test_a_zombie_is_not_a_live_session():
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert sessions.start_time(child.pid) is None
    child.wait()


def test_adding_drops_the_dead_and_keeps_the_living(path, lock, sleeper):
    with open(path, "w") as file:
        file.write("999999999 1\nnonsense\n\n1 2 3\n")
    lock.add(session_of(sleeper))
    lock.add(sessions.own())
    assert sessions.read(path) == [session_of(sleeper), sessions.own()]


def test_adding_twice_is_one_line(path, lock):
    lock.add(sessions.own())
    lock.add(sessions.own())
    assert sessions.read(path) == [sessions.own()]


def test_removing_the_last_leaves_no_line_in_the_same_file(path, lock):
    before = os.stat(path).st_ino
    lock.add(sessions.own())
    assert lock.remove(sessions.own()) == []
    assert (lines(path), os.stat(path).st_ino) == ("", before)


def test_the_file_keeps_its_blocks_so_that_a_full_disk_is_no_obstacle(path, lock):
    blocks = os.stat(path).st_blocks
    assert blocks * 512 >= sessions.SIZE
    lock.add(sessions.own())
    lock.clear()
    after = os.stat(path)
    assert (after.st_size, after.st_blocks) == (sessions.SIZE, blocks)


def test_no_write_passes_through_a_file_without_a_line(path, lock, sleeper, monkeypatch):
    lock.add(session_of(sleeper))
    lock.add(sessions.own())
    written = []
    real = os.pwrite

    def watched(descriptor, content, offset):
        written.append((bytes(content), offset))
        return real(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", watched)
    monkeypatch.setattr(os, "ftruncate", None)
    lock.remove(sessions.own())
    [(content, offset)] = written
    assert (offset, len(content)) == (0, sessions.SIZE)
    assert content.startswith(f"{sleeper.pid} ".encode())


def test_a_box_holds_at_most_200_sessions(path, lock, monkeypatch):
    monkeypatch.setattr(sessions, "is_alive", lambda _session: True)
    longest = 10**19
    for number in range(sessions.MAX_SESSIONS):
        lock.add((4_000_000 + number, longest))
    with pytest.raises(LitterboxError, match="200 sessions"):
        lock.add((5000, 1))
    assert len(sessions.read(path)) == sessions.MAX_SESSIONS


def test_the_lock_of_an_older_version_is_taken_on(tmp_path):
    path = str(tmp_path / "old.lock")
    with open(path, "w") as file:
        file.write("12 34\n")
    with SessionLock(path) as lock:
        assert lock.listed() == [(12, 34)]
    assert os.stat(path).st_size == sessions.SIZE


def test_a_link_in_place_of_the_lock_is_refused(tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    os.symlink(target, tmp_path / "lock")
    with pytest.raises(LitterboxError):
        sessions.prepare(str(tmp_path / "lock"))
    assert target.read_text() == "precious"


def test_no_lease_can_be_taken_while_the_lock_is_open(path, lock):
    with open(path) as file, pytest.raises(BlockingIOError):
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)


def test_a_lease_holds_up_whoever_opens_the_lock_for_a_bounded_time(path, lease):
    before = time.monotonic()
    with pytest.raises(HostError, match="holds a lease on its session lock"):
        SessionLock(path, within=0.2)
    assert time.monotonic() - before < 20  # the kernel's own bound is 45 seconds
    assert sessions.read(path) == []


def test_the_lock_is_opened_when_the_lease_is_gone(path, lease):
    with pytest.raises(HostError):
        SessionLock(path, within=0)
    lease.send_signal(signal.SIGKILL)
    lease.wait()
    with SessionLock(path) as lock:
        lock.add(sessions.own())
    assert sessions.read(path) == [sessions.own()]
