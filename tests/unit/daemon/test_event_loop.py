"""No file that the box sees is opened, locked or written in the daemon's event loop: the box could hold it up there."""

import fcntl
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial

import pytest
import trio

from litterbox import files, locks, paths, sessions
from litterbox.container import create
from litterbox.control import client
from litterbox.daemon import serve
from litterbox.errors import DaemonGone
from litterbox.sessions import SessionLock
from litterbox.settings.box_settings import Settings

WATCHED = {"open", "os.truncate", "os.chmod", "os.chown", "os.utime", "os.remove", "os.rename", "fcntl.flock"}


class Touched:
    """The files that the event loop's thread opened, locked, changed or wrote, while it is watching."""

    def __init__(self):
        self.paths = []
        self.watching = False
        self._thread = threading.get_ident()

    def note(self, what):
        if self.watching and threading.get_ident() == self._thread:
            path = os.readlink(f"/proc/self/fd/{what}") if isinstance(what, int) else os.fsdecode(what)
            self.paths.append(os.path.abspath(path))


TOUCHED = Touched()


def hook(event, arguments):
    if event in WATCHED:
        TOUCHED.note(arguments[0])


@pytest.fixture
def touched(monkeypatch):
    if hook not in ADDED:
        sys.addaudithook(hook)  # it stays for good
        ADDED.append(hook)
    for name in ("pwrite", "write", "posix_fallocate"):
        monkeypatch.setattr(os, name, noting(getattr(os, name)))
    TOUCHED.__init__()
    yield TOUCHED
    TOUCHED.watching = False


ADDED = []


def noting(function):
    def call(descriptor, *arguments):
        if TOUCHED.watching and os.path.isfile(f"/proc/self/fd/{descriptor}"):
            TOUCHED.note(descriptor)
        return function(descriptor, *arguments)

    return call


@pytest.fixture
def no_podman(monkeypatch, tmp_path):
    """There is a podman, and it knows no container."""
    (tmp_path / "podman").write_text("#!/bin/sh\nexit 125\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def visit():
    """What an `enter` does, and the clients of a session; in a thread, as if it was another process."""
    child = subprocess.Popen(["sleep", "1000"])
    session = child.pid, sessions.start_time(child.pid)
    with locks.hold(paths.enter_lock("work"), within=10), SessionLock(paths.session_lock("work")) as lock:
        client.announce_entry("work")
        lock.add(session)
    while str(child.pid) not in client.ask("work", {"request": "status"})["sessions"]:
        pass
    for path in (paths.host_socket("work"), paths.agent_socket("work")):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(path)
            connection.sendall((11).to_bytes(4, "big") + b'{"type": 1}')
            connection.recv(4096)
    client.announce_settings("work")
    return child


def leave(child):
    """Returns when the daemon has dropped the session; with the last one, it ends."""
    child.kill()
    child.wait()
    with suppress(DaemonGone):
        while (answer := client.ask("work", {"request": "status"})) and str(child.pid) in answer["sessions"]:
            pass


@pytest.mark.filterwarnings("ignore:Async generator 'trio_util:ResourceWarning")  # of trio_util's own, inside events()
async def test_sessions_come_and_go_and_the_event_loop_touches_nothing_that_the_box_sees(no_podman, touched):
    create.prepare_host_side("work")
    files.private_folder(paths.logs())
    ready = trio.Event()
    enter_locks = []

    async def run(lock):
        run_serve = partial(serve.serve, "work", sessions=lock, vault_key=None, for_session=False, ready=ready.set)
        enter_locks.append(await run_serve())

    with SessionLock(paths.session_lock("work")) as lock:
        touched.watching = True
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run, lock)
                await ready.wait()
                first, second = [await trio.to_thread.run_sync(visit) for _ in range(2)]
                await trio.to_thread.run_sync(leave, first)
                await trio.to_thread.run_sync(leave, second)
        touched.watching = False
    os.close(enter_locks[0])
    assert sessions.read(paths.session_lock("work")) == []
    assert paths.enter_lock("work") in touched.paths  # it does see what is touched
    assert seen_by_box(touched.paths) == []


def seen_by_box(touched):
    """Those that the box sees, but for the sockets, which are bound and removed, and never opened."""
    mounted = [os.path.realpath(mount.source) for mount in create.mounts("work", Settings())]
    bound = {os.path.realpath(path) for path in (paths.host_socket("work"), paths.agent_socket("work"))}
    return [path for path in touched if path not in bound and any(f"{path}/".startswith(f"{one}/") for one in mounted)]


def test_a_file_that_the_event_loop_locks_or_writes_would_be_noticed(touched):
    create.prepare_host_side("work")
    path = os.path.realpath(paths.session_lock("work"))
    touched.watching = True
    with open(path, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        os.pwrite(file.fileno(), b"x", 0)
    assert seen_by_box(touched.paths) == [path] * 3
