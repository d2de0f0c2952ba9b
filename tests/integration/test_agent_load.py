"""Clients by the thousand, and clients that mean ill: the others are served, and nothing is left behind."""

import contextlib
import os
import socket
import subprocess
import sys
import time

import asyncssh
import pytest
from asyncssh.packet import String
from support.conversation import LIST, add, sign

KEY = asyncssh.generate_private_key("ssh-ed25519")
MANY = 1000
_LONG_ENOUGH = 30.0  # seconds


@pytest.fixture
def agent(tmp_path):
    """`litterbox agent` with one key in it: its socket's path and its process."""
    path = str(tmp_path / "agent.sock")
    environment = {**os.environ, "LITTERBOX_ROOT": str(tmp_path / "Litterbox")}
    command = [sys.executable, "-m", "litterbox", "agent", "--approve", "all", "--socket", path]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == f"SSH_AUTH_SOCK={path}\n".encode()
        with connected(path) as client:
            assert ask(client, add(KEY)) == b"\6"
            for _ in range(50):
                assert ask(client, sign(KEY.public_data))[0] == 14  # what it allocates once is allocated
        time.sleep(0.2)
        yield path, process.pid
        assert process.poll() is None
        process.terminate()


@contextlib.contextmanager
def connected(path: str):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)  # it blocks while the queue of those who wait is full
        client.settimeout(_LONG_ENOUGH)
        yield client


def ask(client: socket.socket, message: bytes) -> bytes:
    client.sendall(String(message))
    return answer(client)


def answer(client: socket.socket) -> bytes:
    length = int.from_bytes(exactly(client, 4), "big")
    return exactly(client, length)


def exactly(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = client.recv(count - len(got))
        assert piece, "closed"
        got += piece
    return got


def is_served(path: str) -> None:
    """Another client gets its list and its signature; how long that took is printed."""
    start = time.perf_counter()
    with connected(path) as client:
        assert ask(client, LIST)[0] == 12
        assert ask(client, sign(KEY.public_data))[0] == 14
    print(f"list and signature for another client: {(time.perf_counter() - start) * 1000:.1f} ms")


def descriptors(pid: int) -> int:
    # Only root may look: the agent is not dumpable.
    listed = subprocess.run(["sudo", "ls", f"/proc/{pid}/fd"], capture_output=True, text=True, check=True)
    return len(listed.stdout.split())


def memory(pid: int) -> int:
    """Anonymous resident memory in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))


@pytest.fixture
def unharmed(agent):
    """Around a test: descriptors return to where they were, and memory stays within 16 MiB of where it was."""
    path, pid = agent
    before = descriptors(pid), memory(pid)
    yield path
    is_served(path)
    end = time.monotonic() + _LONG_ENOUGH
    while descriptors(pid) > before[0] and time.monotonic() < end:
        time.sleep(0.05)
    after = descriptors(pid), memory(pid)
    print(f"descriptors {before[0]} -> {after[0]}, memory {before[1]} -> {after[1]} KiB")
    assert after[0] <= before[0]
    assert after[1] < before[1] + 16 * 1024


def test_a_thousand_idle_connections(unharmed):
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connected(unharmed))
        is_served(unharmed)


def test_ten_thousand_connections_dropped_half_of_them_in_the_middle_of_a_request(unharmed):
    for number in range(10 * MANY):
        with connected(unharmed) as client:
            if number % 2:
                client.sendall(String(sign(KEY.public_data))[:40])
    is_served(unharmed)


def test_a_client_that_sends_a_byte_at_a_time(unharmed):
    with connected(unharmed) as slow:
        for byte in String(LIST):
            slow.sendall(bytes([byte]))
            is_served(unharmed)
            time.sleep(0.3)
        assert answer(slow)[0] == 12


@pytest.mark.parametrize("length", [2**32 - 1, 256 * 1024 + 1, 0])
def test_a_length_that_cannot_be_is_closed_at_once(unharmed, length):
    with connected(unharmed) as client:
        client.sendall(length.to_bytes(4, "big"))
        assert client.recv(1) == b""


def test_a_client_that_asks_by_the_thousand_and_reads_nothing(unharmed):
    request = String(sign(KEY.public_data, b"x" * 1000))
    with connected(unharmed) as deaf:
        deaf.setblocking(False)
        sent = 0
        end = time.monotonic() + 3
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                sent += deaf.send(request)
                continue
            time.sleep(0.01)
        print(f"{sent} bytes were taken")
        assert sent < 2 * 1024 * 1024
        is_served(unharmed)


def test_a_thousand_requests_at_once_are_answered_in_order(unharmed):
    with connected(unharmed) as client:
        client.sendall(b"".join(String(LIST) + String(b"\x63") for _ in range(MANY)))
        kinds = [answer(client)[0] for _ in range(2 * MANY)]
    assert kinds == [12, 5] * MANY
