"""A run of a host's program: what it says, and that it is gone when it should be, with all that it started."""

import os
import signal
import subprocess
import sys
import time

import pytest
import trio

from litterbox.capabilities import tool
from litterbox.capabilities.tool import ToolError, ToolMissing, TooMuchOutput


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Make a shell script that is found as "program"; it may write its processes' ids to $PIDS."""

    def make(script):
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\nPIDS={tmp_path}/pids\n{script}\n")
        path.chmod(0o755)
        return path

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return make


async def pids(tmp_path, count):
    path = tmp_path / "pids"
    with trio.fail_after(10):
        while not path.exists() or len(path.read_text().split()) < count:
            await trio.sleep(0.01)
    return [int(word) for word in path.read_text().split()]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def gone(found):
    with trio.fail_after(10):
        while any(alive(pid) for pid in found):
            await trio.sleep(0.01)


async def test_its_output_and_its_environment(program, monkeypatch):
    monkeypatch.setenv("SECRET", "of the daemon")
    program('printf "%s %s %s" "$1" "$DISPLAY" "$SECRET"')
    assert await tool.run(["program", "a b"], {"DISPLAY": ":7"}, max_output=100) == b"a b :7 "


async def test_its_standard_input_is_the_file(program, tmp_path):
    program("cat")
    with (tmp_path / "content").open("w+b", buffering=0) as content:
        content.write(b"\0\xff\n")
        content.seek(0)
        assert await tool.run(["program"], {}, stdin=content, max_output=100) == b"\0\xff\n"


async def test_what_it_complains_about_is_the_error(program):
    program("echo one >&2; echo two >&2; exit 1")
    with pytest.raises(ToolError, match=r"^one$"):
        await tool.run(["program"], {})


async def test_a_silent_failure_has_its_status(program):
    program("exit 3")
    with pytest.raises(ToolError, match=r"^program ended with status 3$"):
        await tool.run(["program"], {}, max_output=10)


async def test_one_that_is_not_installed():
    with pytest.raises(ToolMissing, match=r"^no-such-program is not installed$"):
        await tool.run(["no-such-program"], {})


async def test_one_that_cannot_be_started(program):
    program("").write_bytes(b"\x7fELF")
    with pytest.raises(ToolError, match=r"^program cannot be started"):
        await tool.run(["program"], {})


@pytest.mark.parametrize("length", [0, 10, 100_000])
async def test_as_much_as_is_wanted_passes_and_a_byte_more_ends_it(program, length):
    program(f"head -c {length} /dev/zero")
    assert await tool.run(["program"], {}, max_output=length) == bytes(length)
    program(f"head -c {length + 1} /dev/zero; sleep 1000")
    with pytest.raises(TooMuchOutput), trio.fail_after(10):
        await tool.run(["program"], {}, max_output=length)


async def test_one_that_hangs_is_killed_with_what_it_started(program, tmp_path):
    program("sleep 1000 & echo $$ $! > $PIDS; wait")
    with pytest.raises(ToolError, match=r"^program does not answer$"):
        await tool.run(["program"], {}, within=0.5)
    await gone(await pids(tmp_path, 2))


@pytest.mark.parametrize("most", [None, 10])
async def test_a_cancelled_run_is_killed_with_what_it_started(program, tmp_path, most):
    program("trap '' TERM HUP INT; sleep 1000 & echo $$ $! > $PIDS; wait")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: tool.run(["program"], {}, max_output=most))
        found = await pids(tmp_path, 2)
        nursery.cancel_scope.cancel()
    assert not alive(found[0])  # reaped by us
    await gone(found)


async def test_what_it_leaves_in_the_background_stays(program, tmp_path):
    program("sleep 1000 & echo $! > $PIDS")
    with trio.fail_after(10):
        await tool.run(["program"], {})
    [server] = await pids(tmp_path, 1)
    assert alive(server)
    os.kill(server, signal.SIGKILL)


def test_one_whose_daemon_was_killed_ends_by_itself(program, tmp_path, monkeypatch):
    program("echo $$ > $PIDS; exec sleep 1000")
    code = (
        "import trio; from litterbox.capabilities import tool; tool._KERNEL_DELAY = 0.5;"
        "trio.run(lambda: tool.run(['program'], {}, within=1))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as daemon:
        [pid] = trio.run(pids, tmp_path, 1)
        daemon.kill()
    assert alive(pid)
    until = time.monotonic() + 10
    while alive(pid):
        assert time.monotonic() < until
        time.sleep(0.05)
