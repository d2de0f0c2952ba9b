"""How a host command ends: by itself, by a signal that was passed on, with its caller, with the daemon, even killed."""

import os
import select
import signal
import subprocess

import pytest
import trio
from support.host_socket import Client
from support.processes import eventually, is_running, state, with_words

from litterbox.capabilities.connection import MAX_MALFORMED
from litterbox.capabilities.host_exec.commands import MAX_CHILDREN
from litterbox_guest import wire

LONG_ENOUGH = 60.0  # seconds
HELLO = {"type": "hello", "version": "1", "container": "work", "capabilities": ["host_exec"]}
STUBBORN = "trap '' TERM HUP INT; echo $$; while :; do sleep 0.1; done"


@pytest.fixture
def running(host):
    """A host command that tells its PID and then waits, and the process in the box that called it."""
    with host.start("sh", "-c", "echo $$; exec sleep 1000") as caller:
        pid = int(caller.stdout.readline())
        yield pid, caller
        caller.kill()
    eventually(lambda: not is_running(pid))


@pytest.mark.parametrize("status", [0, 1, 7, 126, 255])
def test_the_status_is_the_commands(host, status):
    assert host.run("sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "PIPE"])
def test_one_that_was_killed_is_128_and_the_signal(host, name):
    assert host.run("sh", "-c", f"kill -{name} $$").returncode == 128 + signal.Signals[f"SIG{name}"]


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_are_passed_on(running, name):
    _pid, caller = running
    number = signal.Signals[f"SIG{name}"]
    caller.send_signal(number)
    assert caller.wait(LONG_ENOUGH) == 128 + number


def test_a_signal_that_the_command_handles_is_its_own_matter(host):
    script = "trap 'echo heard; exit 3' USR1; echo ready; while :; do sleep 0.1; done"
    with host.start("sh", "-c", script) as caller:
        assert caller.stdout.readline() == b"ready\n"
        caller.send_signal(signal.SIGUSR1)
        assert caller.communicate(timeout=LONG_ENOUGH)[0] == b"heard\n"
    assert caller.returncode == 3


def test_a_signal_passes_input_that_nobody_takes(host):
    with host.start("sh", "-c", "echo up; exec sleep 1000", stdin=subprocess.PIPE) as caller:
        assert caller.stdout.readline() == b"up\n"
        fill(caller.stdin.fileno())
        caller.send_signal(signal.SIGTERM)
        assert caller.wait(LONG_ENOUGH) == 143


def fill(pipe):
    """Write until nothing more goes in for a while."""
    os.set_blocking(pipe, False)
    while select.select([], [pipe], [], 0.5)[1]:
        os.write(pipe, bytes(4096))


def test_stop_and_continue(running):
    pid, caller = running
    for _ in range(2):
        caller.send_signal(signal.SIGTSTP)
        eventually(lambda: state(caller.pid) == "T" and state(pid) == "T")
        caller.send_signal(signal.SIGCONT)
        eventually(lambda: state(caller.pid) == "S" and state(pid) == "S")
    caller.terminate()
    assert caller.wait(LONG_ENOUGH) == 143


@pytest.mark.parametrize("script", ["echo $$; exec sleep 1000", "echo $$; sleep 1000 & wait", STUBBORN])
def test_a_killed_caller_takes_the_whole_group_along(host, script):
    with host.start("sh", "-c", script) as caller:
        pid = int(caller.stdout.readline())
        eventually(lambda: not script.endswith("wait") or with_words("sleep", "1000"))
        caller.kill()
    eventually(lambda: not is_running(pid) and not with_words("sleep", "1000"))


def test_a_stopped_command_ends_too(running):
    pid, caller = running
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: state(pid) == "T")
    caller.kill()
    eventually(lambda: not is_running(pid))


@pytest.mark.parametrize("script", ["echo $$; exec sleep 1000", STUBBORN])
def test_the_end_of_the_daemon_ends_it(host, script):
    with host.start("sh", "-c", script) as caller:
        pid = int(caller.stdout.readline())
        host.process.stdin.close()
        assert host.process.wait(LONG_ENOUGH) == 0
        assert not is_running(pid)
        assert caller.wait(LONG_ENOUGH) == 125
        assert caller.stderr.read() == b"litterbox: the host went away: it hung up\n"


@pytest.mark.parametrize("script", ["echo $$; exec sleep 1000", "echo $$; sleep 1000 & wait", STUBBORN])
def test_the_end_of_a_daemon_that_is_killed_ends_it_too(host, script):
    with host.start("sh", "-c", script) as caller:
        pid = int(caller.stdout.readline())
        host.process.kill()
        host.process.wait()
        eventually(lambda: not is_running(pid) and not with_words("sleep", "1000"))
        assert caller.wait(LONG_ENOUGH) == 125


def test_a_client_that_is_gone_behind_more_input_than_anybody_takes_ends_it(host):
    with Client(host.path) as client:
        client.ask(HELLO)
        client.sendall(wire.encode({"type": "host_exec", "command": "sleep", "args": ["1000"]}))
        eventually(lambda: with_words("/bin/sleep", "1000"))
        client.setblocking(False)
        stdin = wire.encode({"type": "host_exec_stdin", "data": "x" * 100_000})
        while select.select([], [client], [], 0.5)[1]:
            client.send(stdin)
    eventually(lambda: not with_words("/bin/sleep", "1000"))


def test_what_another_guard_finds_is_guarded_too(host):
    with host.start("sh", "-c", "echo $$; exec sleep 1000") as caller:
        pid = int(caller.stdout.readline())
        [guard] = guards(host.process.pid)
        os.kill(guard, signal.SIGKILL)
        eventually(lambda: guards(host.process.pid) not in ([], [guard]))
        assert host.run("true").returncode == 0
        host.process.kill()
        host.process.wait()
        eventually(lambda: not is_running(pid))


def guards(pid):
    return [int(child) for child in left(pid)[1] if b"host_exec.guard" in command_line(child)]


def command_line(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()


def test_a_command_of_another_user_holds_up_nobody(host):
    """Sudo becomes root, whom we cannot end."""
    with host.start("sudo", "sh", "-c", "echo up; exec sleep 1234") as caller:
        assert caller.stdout.readline() == b"up\n"
        caller.kill()
    try:
        assert host.run("true").returncode == 0
        host.process.stdin.close()
        assert host.process.wait(LONG_ENOUGH) == 0
    finally:
        subprocess.run(["sudo", "pkill", "-KILL", "-f", "^sleep 1234$"], check=False)


def test_there_are_so_many_at_once_and_no_more(host):
    callers = [host.start("sh", "-c", "echo up; exec sleep 1000") for _ in range(MAX_CHILDREN)]
    try:
        for caller in callers:
            assert caller.stdout.readline() == b"up\n"
        refused = host.run("true")
        assert refused.returncode == 126
        assert refused.stderr == b"litterbox: the box runs 32 commands on the host already\n"
        callers[0].kill()
        eventually(lambda: host.run("true").returncode == 0)
    finally:
        for caller in callers:
            caller.kill()
            caller.communicate()
    eventually(lambda: not with_words("sleep", "1000"))


def test_nothing_stays_behind(host):
    """No zombie, no descriptor, no process but the guard."""
    assert host.run("true").returncode == 0
    before = left(host.process.pid)
    for _ in range(8):
        host.run("sh", "-c", "cat; exit 3", data=b"x")
    eventually(lambda: left(host.process.pid) == before)
    [_guard] = before[1]


def left(pid):
    """How many descriptors it has open, and its children."""
    children = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            children += file.read().split()
    return len(os.listdir(f"/proc/{pid}/fd")), children


async def test_garbage_on_many_connections_disturbs_no_stream(host, tmp_path):
    """Ten thousand malformed frames, on a hundred connections at a time, while a command's output is on its way."""
    data = os.urandom(50_000_000)
    (tmp_path / "big").write_bytes(data)
    answers = []

    async def send_garbage():
        for _ in range(20):
            answers.extend(await answers_to_garbage(host.path))

    with host.start("sh", "-c", f"cat {tmp_path}/big; sleep 1; cat {tmp_path}/big") as stream:
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(send_garbage)
            out, err = await trio.to_thread.run_sync(stream.communicate)
    assert (stream.returncode, err) == (0, b"")
    assert out == data + data
    assert len(answers) == 10_000


async def answers_to_garbage(path):
    """The errors that come back for five frames that are none; then the connection is closed."""
    bodies = [os.urandom(1 + count).replace(b"{", b"x") for count in range(MAX_MALFORMED)]
    hello = wire.encode({"type": "hello", "version": "1", "container": "work", "capabilities": ["host_exec"]})
    received = []
    async with await trio.open_unix_socket(path) as client:
        await client.send_all(hello + b"".join(len(body).to_bytes(4, "big") + body for body in bodies))
        frames = wire.FrameReader()
        async for data in client:
            frames.receive_data(data)
            while (frame := frames.next_frame()) is not None:
                received.append(frame)
    return [frame for frame in received if frame["type"] == "error"]
