"""The command beside the agent: its status, its environment, its signals, and that it is never left behind unheard."""

import logging
import os
import resource
import signal

import pytest
import trio

from litterbox import limits
from litterbox.host_agent.command import CommandError, run_command


async def run(*command, **variables):
    with trio.fail_after(20), trio.open_signal_receiver(signal.SIGUSR2) as signals:
        return await run_command(command, signals, **variables)


async def appears(path):
    with trio.fail_after(20):
        while not path.exists():
            await trio.sleep(0.01)


async def test_its_status_is_the_commands():
    assert await run("true") == 0
    assert await run("sh", "-c", "exit 7") == 7


async def test_a_killed_command_is_128_and_the_signal():
    assert await run("sh", "-c", "kill -9 $$") == 137
    assert await run("sh", "-c", "kill -TERM $$") == 143


async def test_variables_are_added_to_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("OURS", "kept")
    out = tmp_path / "out"
    await run("sh", "-c", f'echo "$SSH_AUTH_SOCK $OURS" > {out}', SSH_AUTH_SOCK="/tmp/a b.sock")
    assert out.read_text() == "/tmp/a b.sock kept\n"


async def test_a_command_that_is_not_there_is_127():
    with pytest.raises(CommandError, match="nowhere-to-be-found cannot be run: No such file") as raised:
        await run("nowhere-to-be-found")
    assert raised.value.status == 127


async def test_a_command_that_cannot_be_executed_is_126(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("not a program")
    for mode in (0o600, 0o700):  # first no permission, then no format that the kernel knows
        plain.chmod(mode)
        with pytest.raises(CommandError, match="cannot be run") as raised:
            await run(str(plain))
        assert raised.value.status == 126


@pytest.fixture
def raised_limit():
    """Raise the limit on open files, as the agent does; returns what it was before, 256."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    limits.raise_open_files(512)
    yield 256
    limits._before.clear()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_it_has_the_open_files_limit_that_we_had(tmp_path, raised_limit):
    out = tmp_path / "out"
    await run("sh", "-c", f"ulimit -Sn > {out}")
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 512
    assert int(out.read_text()) == raised_limit


async def test_a_signal_is_passed_on_and_its_own_end_is_waited_for(tmp_path):
    ready = tmp_path / "ready"
    script = f"trap 'exit 5' USR2; touch {ready}; while :; do sleep 0.05; done"
    statuses = []

    async def run_script():
        statuses.append(await run("sh", "-c", script))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_script)
        await appears(ready)
        os.kill(os.getpid(), signal.SIGUSR2)
    assert statuses == [5]


async def test_when_the_agent_fails_the_command_is_waited_for_and_the_user_is_told(tmp_path, caplog):
    ready, go, done = tmp_path / "ready", tmp_path / "go", tmp_path / "done"
    script = f"touch {ready}; while [ ! -e {go} ]; do sleep 0.05; done; touch {done}"

    async def fail_beside_it():
        await appears(ready)
        raise OSError("the agent fell")

    async def let_it_end():
        with trio.CancelScope(shield=True):
            while "goes on without it" not in caplog.text:
                await trio.sleep(0.01)
            go.touch()

    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="the agent fell")), caplog.at_level(logging.ERROR):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(let_it_end)
            nursery.start_soon(fail_beside_it)
            await run("sh", "-c", script)
    assert done.exists()
    assert "the agent has failed; sh goes on without it" in caplog.text
