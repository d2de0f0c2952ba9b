"""The control socket answers the user's processes, refuses what it does not know, and survives bad clients."""

import base64
import os
import socket

import pytest
import trio

from litterbox import paths
from litterbox.daemon import client
from litterbox.daemon.control import decode_vault_key, serve_control
from litterbox.daemon.sockets import open_unix_listener
from litterbox.errors import DaemonError


@pytest.fixture
async def serve(nursery):
    async def serve(handlers):
        async def run(*, task_status):
            async with open_unix_listener(paths.control_socket("work")) as listener:
                await serve_control(listener, handlers, task_status=task_status)

        await nursery.start(run)

    return serve


async def ask(request):
    return await trio.to_thread.run_sync(client.ask, "work", request)


async def test_a_request_gets_its_handlers_answer(serve):
    async def greet(request):
        return {"hello": request["name"]}

    await serve({"greet": greet})
    assert await ask({"type": "greet", "name": "you"}) == {"type": "ok", "hello": "you"}


async def test_an_unknown_request_is_refused_by_name(serve):
    await serve({})
    with pytest.raises(DaemonError, match="unknown request 'dance'"):
        await ask({"type": "dance"})


async def test_nobody_listening_is_none():
    assert await ask({"type": "status"}) is None


async def test_a_client_that_sends_rubbish_ends_alone(serve):
    async def greet(_request):
        return {}

    await serve({"greet": greet})
    for rubbish in (b"\xff\xff\xff\xff", b"\0\0\0\x01x", b"\0\0\0\x09half"):
        async with await trio.open_unix_socket(paths.control_socket("work")) as stream:
            await stream.send_all(rubbish)
            await stream.send_eof()
            assert await stream.receive_some() == b""
    assert await ask({"type": "greet"}) == {"type": "ok"}


async def test_a_new_listener_takes_the_place_of_a_dead_ones_socket(nursery, serve):
    with socket.socket(socket.AF_UNIX) as dead:
        os.makedirs(os.path.dirname(paths.control_socket("work")), exist_ok=True)
        dead.bind(paths.control_socket("work"))

    async def greet(_request):
        return {}

    await serve({"greet": greet})
    assert await ask({"type": "greet"}) == {"type": "ok"}
    assert os.stat(paths.control_socket("work")).st_mode & 0o777 == 0o600


def test_only_32_bytes_are_a_vault_key():
    key = bytes(range(32))
    assert decode_vault_key({"key": base64.b64encode(key).decode()}) == key
    for bad in ("", "!!", base64.b64encode(b"short").decode(), None, 3):
        assert decode_vault_key({"key": bad}) is None

