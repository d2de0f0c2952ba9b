"""The host socket: hello first, unknown things answered, the fifth malformed frame closes, silence is bounded."""

import pytest
import trio
import trio.testing

from litterbox.capabilities import server
from litterbox_guest import wire

HELLO = {"type": "hello", "version": "0.1.0", "container": "work", "capabilities": ["notify", "host_exec"]}


@pytest.fixture
async def peer(nursery):
    ours, theirs = trio.testing.memory_stream_pair()

    async def run():
        async with theirs:
            await server.converse(theirs)

    nursery.start_soon(run)
    return Peer(ours)


class Peer:
    def __init__(self, stream):
        self.stream = stream
        self.frames = wire.FrameReader()

    async def send(self, message):
        await self.stream.send_all(wire.encode(message))

    async def receive(self):
        while (frame := self.frames.next_frame()) is None:
            data = await self.stream.receive_some()
            if not data:
                return None
            self.frames.receive_data(data)
        return frame


async def test_hello_is_acknowledged_with_everything_rejected(peer):
    await peer.send(HELLO)
    assert await peer.receive() == {
        "type": "hello_ack",
        "accepted": [],
        "rejected": ["notify", "host_exec"],
    }


async def test_fields_that_we_do_not_know_are_ignored(peer):
    await peer.send({**HELLO, "features": ["tomorrow"]})
    assert (await peer.receive())["type"] == "hello_ack"


async def test_a_ping_is_answered_after_hello_and_refused_before(peer):
    await peer.send({"type": "ping"})
    assert await peer.receive() == {"type": "error", "reason": "say hello first"}
    await peer.send(HELLO)
    await peer.receive()
    await peer.send({"type": "ping"})
    assert await peer.receive() == {"type": "ack"}


@pytest.mark.parametrize(
    "frame", [{"type": "dance"}, {}, {"type": None}, {"type": ["hello"]}, {**HELLO, "version": 3}, {"type": "hello"}]
)
async def test_unknown_types_and_wrong_fields_are_answered_with_an_error(peer, frame):
    await peer.send(frame)
    answer = await peer.receive()
    assert answer["type"] == "error"
    assert len(answer["reason"]) < 300


async def test_the_fifth_malformed_frame_closes_the_connection(peer):
    for _ in range(server.MAX_MALFORMED):
        await peer.stream.send_all(b"\0\0\0\x01x")
        assert (await peer.receive())["type"] == "error"
    assert await peer.receive() is None


async def test_who_says_no_hello_is_closed_after_the_deadline(peer, autojump_clock):
    before = trio.current_time()
    assert await peer.receive() is None
    assert trio.current_time() - before == pytest.approx(server.HELLO_WITHIN)


async def test_after_hello_there_is_no_deadline(peer, autojump_clock):
    await peer.send(HELLO)
    await peer.receive()
    await trio.sleep(10 * server.HELLO_WITHIN)
    await peer.send({"type": "ping"})
    assert await peer.receive() == {"type": "ack"}


async def test_what_is_no_unicode_is_echoed_as_json_has_it(peer):
    await peer.stream.send_all(frame(b'{"type":"hello","version":"1","container":"w","capabilities":["\\ud800"]}'))
    assert (await peer.receive())["rejected"] == ["\ud800"]


def frame(body):
    return len(body).to_bytes(4, "big") + body
