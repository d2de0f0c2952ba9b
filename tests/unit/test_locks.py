"""The locks exclude, name their holder to whoever waits, and survive the removal of their file."""

import os
import subprocess
import sys
import threading

import pytest

from litterbox import locks

HOLD = """
import sys
from litterbox import locks
with locks.hold(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "the.lock")


@pytest.fixture
def holder(path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "held\n"
    yield child
    child.kill()
    child.wait()
    child.stdin.close()
    child.stdout.close()


def test_a_held_lock_is_seen_and_not_taken(path, holder):
    descriptor = locks.open_lock(path)
    assert locks.is_held(path)
    assert not locks.try_lock(descriptor)
    os.close(descriptor)


def test_a_missing_file_is_a_free_lock(path):
    assert not locks.is_held(path)
    assert not os.path.exists(path)


def test_the_lock_is_free_when_its_holder_was_killed(path, holder):
    holder.kill()
    holder.wait()
    with locks.hold(path):
        assert locks.is_held(path)
    assert not locks.is_held(path)


def test_who_waits_is_told_who_holds_the_lock_and_waits_on(path, holder):
    told = []

    def release(words):
        told.append(words)
        holder.stdin.close()

    with locks.hold(path, on_wait=release, patience=0.05):
        pass
    assert told[0].startswith(f"process {holder.pid} (")
    assert "locks.hold" in told[0]


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_on_the_new_file(path, holder):
    waiter_has_it = threading.Event()

    def wait():
        with locks.hold(path):
            waiter_has_it.set()
            assert locks.is_held(path)

    thread = threading.Thread(target=wait)
    thread.start()
    os.unlink(path)
    holder.stdin.close()
    thread.join(10)
    assert waiter_has_it.is_set()


def test_shared_holders_do_not_exclude_each_other(path):
    with locks.hold(path, shared=True), locks.hold(path, shared=True):
        descriptor = locks.open_lock(path)
        assert not locks.try_lock(descriptor)
        os.close(descriptor)
