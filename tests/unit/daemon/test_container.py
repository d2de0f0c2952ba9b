"""The container watcher gives the box its grace, and then has Podman stop it."""

import subprocess

import pytest
import trio

from litterbox.container import state
from litterbox.daemon import container
from litterbox.daemon.container import GRACE_TIMEOUT, ContainerWatcher


@pytest.fixture
def main(monkeypatch):
    """PID 1 of a box that runs: a real child."""
    child = subprocess.Popen(["sleep", "60"])
    seen = state.Seen(called_running=True, started=True, main=child.pid, conmon=None)
    monkeypatch.setattr(container, "_look", lambda _name: seen)
    monkeypatch.setattr(container, "_correct", lambda _name: None)
    yield child
    child.kill()
    child.wait()


async def test_a_box_that_does_not_leave_is_stopped_after_its_grace(autojump_clock, main):
    start = trio.current_time()
    called = []

    def run_podman(command, *_arguments):
        called.append((command, trio.from_thread.run_sync(trio.current_time) - start))
        main.kill()
        main.wait()

    async with trio.open_nursery() as nursery:
        watcher = ContainerWatcher("work", nursery, run_podman)
        await watcher.end()
        nursery.cancel_scope.cancel()
    assert called[0][0] == "stop"
    assert called[0][1] >= GRACE_TIMEOUT


async def test_the_wait_for_conmon_has_an_end(autojump_clock, main, monkeypatch):
    seen = container._look("work")
    monkeypatch.setattr(
        container, "_look", lambda _name: state.Seen(called_running=True, started=True, main=seen.main, conmon=1)
    )

    def run_podman(command, *_arguments):
        main.kill()
        main.wait()

    start = trio.current_time()
    async with trio.open_nursery() as nursery:
        await ContainerWatcher("work", nursery, run_podman).end()
        nursery.cancel_scope.cancel()
    assert trio.current_time() - start >= GRACE_TIMEOUT + container._CLEANUP_TIMEOUT
