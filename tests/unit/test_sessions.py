"""The session lock is true about the living, rewritten in place, and never empty by accident."""

import os
import subprocess
import sys

import pytest

from litterbox import sessions
from litterbox.errors import LitterboxError


@pytest.fixture
def lock(tmp_path):
    path = str(tmp_path / "session.lock")
    sessions.prepare(path)
    return path


@pytest.fixture
def sleeper():
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    yield child
    child.kill()
    child.wait()
    child.stdin.close()


def session_of(child):
    return child.pid, sessions.start_time(child.pid)


def test_a_session_is_its_pid_and_start_time(lock):
    sessions.add(lock, sessions.own())
    with open(lock) as file:
        assert file.read() == f"{os.getpid()} {sessions.start_time(os.getpid())}\n"


def test_a_reused_pid_is_not_a_live_session(lock):
    pid, started = sessions.own()
    with open(lock, "w") as file:
        file.write(f"{pid} {started - 1}\n")
    assert sessions.read(lock) == []


def test_a_zombie_is_not_a_live_session():
    child = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.DEVNULL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert sessions.start_time(child.pid) is None
    child.wait()


def test_adding_drops_the_dead_and_keeps_the_living(lock, sleeper):
    with open(lock, "w") as file:
        file.write("999999999 1\nnonsense\n\n1 2 3\n")
    sessions.add(lock, session_of(sleeper))
    sessions.add(lock, sessions.own())
    assert sessions.read(lock) == [session_of(sleeper), sessions.own()]


def test_adding_twice_is_one_line(lock):
    sessions.add(lock, sessions.own())
    sessions.add(lock, sessions.own())
    assert sessions.read(lock) == [sessions.own()]


def test_removing_the_last_leaves_an_empty_file_with_the_same_inode(lock):
    before = os.stat(lock).st_ino
    sessions.add(lock, sessions.own())
    assert sessions.remove(lock, sessions.own()) == []
    after = os.stat(lock)
    assert (after.st_size, after.st_ino) == (0, before)


def test_no_write_passes_through_an_empty_file(lock, sleeper, monkeypatch):
    sessions.add(lock, session_of(sleeper))
    sessions.add(lock, sessions.own())
    sizes = []
    real = {"pwrite": os.pwrite, "ftruncate": os.ftruncate}

    def watched(name):
        def call(*arguments):
            result = real[name](*arguments)
            sizes.append(os.stat(lock).st_size)
            return result

        return call

    for name in real:
        monkeypatch.setattr(os, name, watched(name))
    sessions.remove(lock, sessions.own())
    assert len(sizes) == 2
    assert all(size > 0 for size in sizes)


def test_a_box_holds_at_most_200_sessions(lock, sleeper, monkeypatch):
    monkeypatch.setattr(sessions, "is_alive", lambda _session: True)
    for number in range(sessions.MOST_SESSIONS):
        sessions.add(lock, (1000 + number, 1))
    with pytest.raises(LitterboxError, match="200 sessions"):
        sessions.add(lock, (5000, 1))
    assert len(sessions.read(lock)) == sessions.MOST_SESSIONS


def test_a_link_in_place_of_the_lock_is_refused(tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    os.symlink(target, tmp_path / "lock")
    with pytest.raises(LitterboxError):
        sessions.prepare(str(tmp_path / "lock"))
    assert target.read_text() == "precious"
