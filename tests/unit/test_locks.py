"""The locks exclude, name their holder to whoever waits, and survive the removal of their file."""

import inspect
import os
import subprocess
import sys
import threading

import pytest

from litterbox import locks
from litterbox.errors import LockTimeout

HOLD = """
import sys
from litterbox import locks
from litterbox.errors import LockTimeout
with locks.hold(sys.argv[1], within=0):
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
    with locks.hold(path, within=0):
        assert locks.is_held(path)
    assert not locks.is_held(path)


def test_who_waits_is_told_who_holds_the_lock_and_waits_on(path, holder):
    told = []

    def release(words):
        told.append(words)
        holder.stdin.close()

    with locks.hold(path, within=10, on_wait=release, patience=0.05):
        pass
    assert told[0].startswith(f"process {holder.pid} (")
    assert "locks.hold" in told[0]


def test_who_waits_too_long_is_told_who_holds_the_lock(path, holder):
    with pytest.raises(LockTimeout) as error, locks.hold(path, within=0.05):
        pass
    assert path in error.value.sentence
    assert f"by process {holder.pid} (" in error.value.sentence


def test_a_lock_can_be_waited_for_in_a_thread(path, holder):
    taken = threading.Event()

    def wait():
        with locks.hold(path, within=10):
            taken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    holder.stdin.close()
    thread.join(10)
    assert taken.is_set()


def test_no_wait_for_a_lock_is_without_an_end():
    for take in (locks.acquire, locks.hold):
        assert inspect.signature(take).parameters["within"].default is inspect.Parameter.empty


def test_a_lock_whose_file_was_removed_is_taken_on_the_new_file(path, holder):
    os.unlink(path)
    with locks.hold(path, within=0):
        assert locks.is_held(path)


def test_the_holder_is_the_process_that_the_kernel_names(path, holder):
    assert locks.holder_pid(path) == holder.pid
    holder.kill()
    holder.wait()
    assert locks.holder_pid(path) is None


def test_shared_holders_do_not_exclude_each_other(path):
    with locks.hold(path, within=0, shared=True), locks.hold(path, within=0, shared=True):
        descriptor = locks.open_lock(path)
        assert not locks.try_lock(descriptor)
        os.close(descriptor)
