"""What a hostile box can send to its daemon, at and beyond each bound, while others are served.

The readers of the daemon that a box reaches are these, and each has a case below:
the agent's socket; the host socket; the files of its home: known_hosts, and the folder of a host command;
the session lock, which it can open and lock; and, of a process that connects, its command line in /proc.
The control socket is not in the box, and has cases of its own.
"""

import contextlib
import fcntl
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from asyncssh.packet import Byte, String, UInt32
from support.box_clients import (
    GREETING,
    answer_of,
    exactly,
    is_closed,
    many,
    send,
    to_agent,
    to_control,
    to_host,
    wait_until,
)
from support.daemon import Daemon, Figures, running_daemon
from support.honest_clients import PING, QUERY, beside_honest_clients
from support.hostile_inputs import AGENT_MESSAGES, FRAMES, LETTERS, SIGN, told

from litterbox import paths
from litterbox.agent.protocol import MAX_MESSAGE
from litterbox.control import client
from litterbox.errors import DaemonError
from litterbox.limits import MAX_CONNECTIONS, MAX_CONTROL_CONNECTIONS, MAX_HOST_COMMANDS
from litterbox_guest import wire

STALL = 0.5  # seconds of processor time in which nobody else is served: an attack takes seconds, a busy machine 0.2
GROWTH = 200.0  # MiB: what two listeners hold at most, and what is made of it while it is answered
REST = 16.0  # MiB that may stay of it, in a process whose modules and caches were all used
LONG_ENOUGH = 30.0  # seconds

SETTINGS = """
notify = true
xdg_open = true
clipboard = true
host_exec = true
commands.echo.program = "/bin/echo"
commands.yes.program = "/usr/bin/yes"
commands.here = {program = "/bin/pwd", folder = "box"}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITTERBOX_ROOT", str(folder / "Litterbox"))
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        os.makedirs(paths.definitions())
        with open(paths.settings("work"), "w") as file:
            file.write(SETTINGS)
        yield folder


@pytest.fixture(scope="module", autouse=True)
def many_open_files():
    """A flood of one listener needs more descriptors than a process has by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def daemon(root):
    with running_daemon() as running:
        one_of_each(running)  # what is imported and cached at first use is there before anything is measured
        yield running


@pytest.fixture(scope="module")
def at_rest(daemon):
    """The figures before anything hostile came."""
    return daemon.figures()


def one_of_each(daemon: Daemon) -> None:
    with to_agent() as agent, to_host() as host:
        for message in AGENT_MESSAGES:
            send(agent, String(message[:200]))
        for message in ({"type": "notify", "summary": "x"}, {"type": "host_exec", "command": "echo"}):
            send(host, wire.encode(message))
    wait_until(lambda: daemon.figures().descriptors)


class Measured:
    """What the daemon took for a case: `during`, as the case tells, and after it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.before = daemon.figures()

    def look(self) -> Figures:
        """The figures now; what they say of stalls and growth is within the bounds."""
        now = self.daemon.figures()
        assert now.stall < STALL, now
        assert now.memory < self.before.memory + GROWTH, now
        return now


@pytest.fixture
def measured(daemon, at_rest):
    measured = Measured(daemon)
    yield measured
    measured.look()
    wait_until(lambda: daemon.figures().descriptors <= measured.before.descriptors)


@pytest.mark.parametrize("number", range(len(AGENT_MESSAGES)))
def test_an_agent_message_of_any_size(measured, number):
    with to_agent() as agent:
        assert send(agent, String(AGENT_MESSAGES[number]))
        assert send(agent, QUERY)[:1] == b"\x1d"


@pytest.mark.parametrize("length", [0, MAX_MESSAGE, MAX_MESSAGE + 1, 2**31, 2**32 - 1])
def test_an_agent_message_of_any_length(measured, length):
    with to_agent() as agent:
        answer = send(agent, UInt32(length) + Byte(11) + bytes(min(length, MAX_MESSAGE) - 1 if length else 0))
    assert bool(answer) == (length == MAX_MESSAGE)


def test_requests_that_come_together(measured):
    with beside_honest_clients(), to_agent() as agent:
        for _ in range(4):
            agent.sendall(String(Byte(20)) * 3000)
            for _ in range(3000):
                assert answer_of(agent) == b"\x05"


@pytest.mark.parametrize("number", range(len(FRAMES)))
def test_a_frame_of_any_size(measured, number):
    with to_host() as host:
        assert send(host, FRAMES[number])


@pytest.mark.parametrize("length", [wire.MAX_FRAME + 1, 2**32 - 1])
def test_a_frame_that_is_too_long(measured, length):
    with to_host() as host:
        assert b"a frame of" in send(host, UInt32(length))
        assert answer_of(host) == b""


def test_host_commands_that_write_without_end(measured):
    with beside_honest_clients(), many(to_host, MAX_HOST_COMMANDS) as connections:
        for connection in connections:
            connection.sendall(told(type="host_exec", command="yes"))
        assert all(b"host_exec_stdout" in answer_of(connection) for connection in connections)
        with to_host() as one_more:
            assert b"already" in send(one_more, told(type="host_exec", command="yes"))
        for _ in range(3):
            for connection in connections:
                assert b"host_exec_stdout" in answer_of(connection)
        measured.look()


@pytest.mark.parametrize("letter", LETTERS, ids=range(len(LETTERS)))
def test_a_letter_of_any_kind(measured, letter):
    with to_control() as control:
        with contextlib.suppress(BrokenPipeError):
            control.sendall(letter)
            control.shutdown(socket.SHUT_WR)
        exactly(control, 100_000)
    assert client.ask("work", {"request": "status"})["done"] == "status"


def test_more_control_connections_than_there_may_be(measured):
    with many(to_control, MAX_CONTROL_CONNECTIONS + 50) as connections:
        wait_until(lambda: sum(map(is_closed, connections)) >= 50)
    wait_until(is_served)


def is_served() -> bool:
    try:
        return client.ask("work", {"request": "status"})["done"] == "status"
    except DaemonError:
        return False  # the connections of before were not yet all closed


@contextlib.contextmanager
def as_many_as_it_can(open_one: Callable[[], socket.socket], first: bytes) -> Iterator[None]:
    """Have MAX_CONNECTIONS open that have sent `first`, and try some more."""
    with many(open_one, MAX_CONNECTIONS + 100) as connections:
        for connection in connections:
            connection.setblocking(False)
            with contextlib.suppress(BrokenPipeError, BlockingIOError, ConnectionResetError):
                connection.send(first)
        yield


FLOODS = {
    "agent, idle": (to_agent, b""),
    "agent, half a message": (to_agent, UInt32(MAX_MESSAGE) + b"x" * 200_000),
    "agent, deaf": (to_agent, String(Byte(11)) * 20_000),
    "host, without hello": (lambda: to_host(greeted=False), b""),
    "host, with hello": (lambda: to_host(greeted=False), GREETING),
    "host, half a frame": (lambda: to_host(greeted=False), GREETING + UInt32(wire.MAX_FRAME) + b"x" * 150_000),
    "host, many values": (lambda: to_host(greeted=False), GREETING + FRAMES[9][:200_000]),
    "host, deaf": (lambda: to_host(greeted=False), GREETING + PING * 10_000),
}


def test_a_flood_of_both_listeners_that_ends_on_one_after_the_other(measured):
    with many(lambda: to_host(greeted=False), MAX_CONNECTIONS):
        with many(to_agent, MAX_CONNECTIONS):
            wait_until(lambda: measured.look().descriptors > 2 * MAX_CONNECTIONS)
        wait_until(lambda: measured.look().descriptors < 1.1 * MAX_CONNECTIONS)


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_of_connections(measured, flood):
    open_one, first = FLOODS[flood]
    with beside_honest_clients() as honest, as_many_as_it_can(open_one, first):
        answers = honest.answers
        wait_until(lambda: honest.answers > answers + 5 or honest.wrong)
        measured.look()


def test_notifications_without_end(measured):
    with beside_honest_clients(), many(to_host, 10) as connections:
        for _ in range(1000):
            for connection in connections:
                connection.sendall(told(type="notify", summary="x" * 100, body="y" * 1000))
            for connection in connections:
                assert answer_of(connection)


def known_hosts() -> str:
    return os.path.join(paths.home("work"), ".ssh", "known_hosts")


def write(content: bytes) -> Callable[[], None]:
    def there() -> None:
        with open(known_hosts(), "wb") as file:
            file.write(content)

    return there


def sparse() -> None:
    with open(known_hosts(), "wb") as file:
        file.truncate(2**40)


# These need names of known_hosts to be read in linear time, outside of the event loop.
KEY = b" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
KNOWN_HOSTS = {
    "4,000 names": write(b",".join(b"host%d" % number for number in range(4000)) + KEY),
    "a megabyte of names": write(b",".join(b"host%d" % number for number in range(90_000)) + KEY),
    "names of 60,000 characters": write(b",".join([b"h" * 60_000] * 16) + KEY),
    "a megabyte of lines": write((b"host" + KEY) * 10_000),
    "wildcards": write(b",".join([b"*" * 50] * 10_000) + KEY),
    "no end of line": write(b"x" * 10_000_000),
    "not UTF-8": write(b"\xff" * 1_000_000 + KEY),
    "a terabyte of nothing": sparse,
    "a FIFO": lambda: os.mkfifo(known_hosts()),
    "a folder": lambda: os.mkdir(known_hosts()),
    "a link out of the home": lambda: os.symlink("/etc/passwd", known_hosts()),
    "a link to itself": lambda: os.symlink("known_hosts", known_hosts()),
}


@pytest.mark.parametrize("content", KNOWN_HOSTS)
def test_a_known_hosts_of_the_box(measured, content):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(known_hosts())
    KNOWN_HOSTS[content]()
    try:
        with beside_honest_clients(), to_agent() as agent:
            for _ in range(3):
                assert send(agent, String(SIGN)) == b"\x05"
    finally:
        (os.rmdir if os.path.isdir(known_hosts()) and not os.path.islink(known_hosts()) else os.unlink)(known_hosts())


def test_a_home_in_place_of_which_there_are_links_and_deep_folders(measured):
    deep = os.path.join(paths.home("work"), *["x" * 100] * 30)
    os.makedirs(deep)
    os.symlink("/", os.path.join(paths.home("work"), "out"))
    with beside_honest_clients(), to_host() as host:
        inside = "/home/user" + deep.removeprefix(paths.home("work"))
        for folder in (inside, "/home/user/out/etc", "/home/user/./x", "/" + "x/" * 2000, "\0", ""):
            assert send(host, told(type="host_exec", command="here", working_dir=folder))


def test_a_session_lock_that_the_box_holds(measured):
    with open(paths.session_lock("work")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with beside_honest_clients():
            assert client.ask("work", {"request": "enter"})["done"] == "enter"


CLAIM = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as agent:
    agent.connect(sys.argv[1])
    agent.sendall(bytes([0, 0, 0, 1, 11]))
    print(len(agent.recv(100)))
"""


def test_a_command_line_of_a_megabyte(measured):
    words = [sys.executable, "-c", CLAIM, paths.agent_socket("work"), *["x" * 100_000] * 10]
    with beside_honest_clients():
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=LONG_ENOUGH)
    assert done.stdout == "5\n"


def test_memory_returns_and_the_log_stays_small(daemon, at_rest):
    """The last of this file: all the floods are gone, and so is what they took."""
    wait_until(lambda: daemon.figures().memory < at_rest.memory + REST)
    assert len(daemon.log) < 300_000
    assert "Traceback" not in daemon.log
