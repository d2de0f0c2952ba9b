"""Real sockets: the host daemon's side is played here."""

import contextlib
import json
import os
import socket

import pytest
import trio

import litterbox
from litterbox_guest import host_link
from litterbox_guest.changes import ChangeFlag
from litterbox_guest.host_link import HostConnection


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "work.sock")


@pytest.fixture
def changed():
    return ChangeFlag()


@pytest.fixture
async def connection(path, changed, nursery):
    connection = HostConnection()
    nursery.start_soon(host_link.keep_linked, connection, path, "work", changed)
    return connection


async def listen(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = trio.socket.socket(socket.AF_UNIX)
    await listener.bind(path)
    listener.listen()
    return trio.SocketListener(listener)


async def accept(listener):
    with trio.fail_after(5):
        return await listener.accept()


async def read_frame(stream):
    length = int.from_bytes(await stream.receive_some(4), "big")
    return json.loads(await stream.receive_some(length))


async def test_it_says_hello_and_what_it_is(connection, path, changed):
    async with await listen(path) as listener:
        changed.set()

        async with await accept(listener) as stream:
            assert await read_frame(stream) == {
                "type": "hello",
                "version": litterbox.__version__,
                "container": "work",
                "capabilities": [],
            }


async def test_it_is_up_while_the_daemon_is_there(connection, path, changed):
    assert not connection.is_up
    async with await listen(path) as listener:
        changed.set()
        async with await accept(listener) as stream:
            await read_frame(stream)
            assert connection.is_up
            await stream.send_all(b"whatever it says" * 1000)
    with trio.fail_after(5):
        await connection.wait_down()
    assert not connection.is_up


async def test_without_a_daemon_it_waits_for_a_change(connection, path, changed, autojump_clock):
    changed.set()
    await trio.sleep(60)

    async with await listen(path) as listener:
        with trio.move_on_after(60):
            await listener.accept()
            raise AssertionError("it tried without a change")
        changed.set()
        async with await accept(listener) as stream:
            assert (await read_frame(stream))["type"] == "hello"


async def test_a_successor_is_found(connection, path, changed):
    async with await listen(path) as listener:
        changed.set()
        await (await accept(listener)).aclose()
    async with await listen(path) as listener:
        changed.set()
        async with await accept(listener) as stream:
            assert (await read_frame(stream))["type"] == "hello"


async def test_a_daemon_that_is_about_to_listen_is_waited_for(connection, path, changed):
    late = trio.socket.socket(socket.AF_UNIX)
    await late.bind(path)
    changed.set()
    await trio.sleep(0.05)
    late.listen()

    async with trio.SocketListener(late) as listener, await accept(listener) as stream:
        assert (await read_frame(stream))["type"] == "hello"


async def test_a_connection_reset_is_a_lost_link(connection, path, changed):
    async with await listen(path) as listener:
        changed.set()
        stream = await accept(listener)
        await stream.aclose()  # with its hello unread, which resets the connection

        with trio.fail_after(5):
            await connection.wait_down()
