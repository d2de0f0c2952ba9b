"""The control socket answers the user's processes, refuses what it does not know, and survives bad clients."""

import contextlib
import os
import socket

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from litterbox import paths
from litterbox.control import client, messages
from litterbox.daemon.control import serve_control
from litterbox.daemon.sockets import open_unix_listener
from litterbox.errors import DaemonError, HostError

WORD = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


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
        return {"hello": request["who"]}

    await serve({"greet": greet})
    assert await ask({"request": "greet", "who": "you"}) == {"done": "greet", "hello": "you"}


async def test_an_unknown_request_is_refused_by_name(serve):
    await serve({})
    with pytest.raises(DaemonError, match="unknown request 'dance'"):
        await ask({"request": "dance"})


async def test_a_handler_that_fails_refuses_and_the_next_request_is_served(serve):
    async def fail(_request):
        raise PermissionError("of the system")

    async def refuse(_request):
        raise HostError("There is no Podman.")

    async def greet(_request):
        return {}

    await serve({"fail": fail, "refuse": refuse, "greet": greet})
    with pytest.raises(DaemonError, match="a fault of its own"):
        await ask({"request": "fail"})
    with pytest.raises(DaemonError, match="There is no Podman"):
        await ask({"request": "refuse"})
    assert await ask({"request": "greet"}) == {"done": "greet"}


async def test_nobody_listening_is_none():
    assert await ask({"request": "status"}) is None


async def test_a_client_that_sends_rubbish_ends_alone(serve):
    async def greet(_request):
        return {}

    await serve({"greet": greet})
    for rubbish in (b"\xff\xff\xff\xff", b"no name\0", b"cut=off", b"x" * (messages.MAX_SIZE + 1)):
        async with await trio.open_unix_socket(paths.control_socket("work")) as stream:
            await stream.send_all(rubbish)
            await stream.send_eof()
            assert await stream.receive_some() == b""
    assert await ask({"request": "greet"}) == {"done": "greet"}


async def test_a_new_listener_takes_the_place_of_a_dead_ones_socket(nursery, serve):
    with socket.socket(socket.AF_UNIX) as dead:
        os.makedirs(os.path.dirname(paths.control_socket("work")), exist_ok=True)
        dead.bind(paths.control_socket("work"))

    async def greet(_request):
        return {}

    await serve({"greet": greet})
    assert await ask({"request": "greet"}) == {"done": "greet"}
    assert os.stat(paths.control_socket("work")).st_mode & 0o777 == 0o600


@given(st.dictionaries(st.text(WORD, min_size=1).filter(lambda name: "=" not in name), st.text(WORD)))
def test_a_letter_comes_out_as_it_went_in(letter):
    assert messages.decode(messages.encode(letter)) == letter


@given(st.binary())
def test_any_bytes_are_a_letter_or_not_one(content):
    with contextlib.suppress(messages.MalformedMessage):
        assert isinstance(messages.decode(content), dict)
