"""The guest daemon's start-up and its table of events, against a host that is played here."""

import socket

import pytest
import trio
from trio.testing import MockClock

import litterbox
from litterbox.capabilities.replies import encode
from litterbox_guest import daemon, wire
from litterbox_guest.messages import HelloAck, Shutdown

HELLO = {
    "type": "hello",
    "version": litterbox.__version__,
    "container": "work",
    "capabilities": ["notify", "xdg_open", "clipboard", "host_exec"],
    "features": ["links"],
}


class Host:
    """Listens where the host socket is; `prepared` is what the guest daemon made of the answer."""

    def __init__(self, path, nursery):
        self.path = path
        self.prepared = []
        self.ended = trio.Event()
        self.failure = None
        self.stream = None
        self._nursery = nursery
        self._listener = trio.socket.socket(socket.AF_UNIX)

    async def listen(self):
        await self._listener.bind(self.path)
        self._listener.listen()

    def start(self):
        self._nursery.start_soon(self._run)

    async def _run(self):
        try:
            await daemon.serve(self.path, "work", self.prepared.append)
        except daemon.NoHost as error:
            self.failure = str(error)
        self.ended.set()

    async def accept(self):
        connection, _address = await self._listener.accept()
        self.stream = trio.SocketStream(connection)
        frames = wire.FrameReader()
        while (hello := frames.next_frame()) is None:
            frames.receive_data(await self.stream.receive_some(65536))
        return hello

    async def send(self, message):
        await self.stream.send_all(wire.encode(message) if isinstance(message, dict) else encode(message, raw=False))

    async def greet(self):
        await self.listen()
        self.start()
        assert await self.accept() == HELLO
        await self.send(HelloAck(accepted=["notify"], rejected=["xdg_open", "clipboard", "host_exec"]))
        await trio.testing.wait_all_tasks_blocked(0.02)

    async def aclose(self):
        self._listener.close()
        if self.stream is not None:
            await self.stream.aclose()

    async def over(self):
        with trio.fail_after(5):
            await self.ended.wait()


@pytest.fixture
async def host(tmp_path, nursery):
    played = Host(str(tmp_path / "work.sock"), nursery)
    yield played
    await played.aclose()


async def test_the_answer_of_the_specification_is_understood(host):
    await host.greet()
    [ack] = host.prepared
    assert (ack.accepted, ack.rejected) == (["notify"], ["xdg_open", "clipboard", "host_exec"])
    assert not host.ended.is_set()


async def test_shutdown_ends_it(host):
    await host.greet()
    await host.send(Shutdown())
    await host.over()


async def test_the_end_of_the_host_ends_it(host):
    await host.greet()
    await host.stream.aclose()
    await host.over()


async def test_a_ping_an_unknown_message_and_an_invalid_one_do_not(host):
    await host.greet()
    for message in ({"type": "ping"}, {"type": "of the future"}, {"type": "hello_ack"}, {"type": "ping", "more": 1}):
        await host.send(message)
    await trio.testing.wait_all_tasks_blocked(0.02)
    assert not host.ended.is_set()
    await host.send(Shutdown())
    await host.over()


async def test_what_is_no_message_ends_it(host):
    await host.greet()
    await host.stream.send_all(b"\xff\xff\xff\xff")
    await host.over()


async def test_five_minutes_without_a_message_end_it(host, monkeypatch):
    monkeypatch.setattr(daemon, "IDLE_TIMEOUT", 0.2)
    await host.greet()
    await host.over()
    assert host.failure is None


async def test_each_message_begins_the_five_minutes_anew(host, monkeypatch):
    monkeypatch.setattr(daemon, "IDLE_TIMEOUT", 0.4)
    await host.greet()
    for _ in range(5):
        await trio.sleep(0.1)
        await host.send({"type": "ping"})
    assert not host.ended.is_set()
    await host.over()


def test_three_tries_half_a_second_apart(tmp_path):
    clock = MockClock(autojump_threshold=0.05)

    async def main():
        with pytest.raises(daemon.NoHost, match=r"does not answer at .*work\.sock: No such file"):
            await daemon.connect(str(tmp_path / "work.sock"))
        return trio.current_time()

    began = clock.current_time()
    assert trio.run(main, clock=clock) - began == pytest.approx(1.0)


async def test_a_host_that_comes_late_is_found(host, nursery):
    host.start()
    await trio.sleep(0.2)
    await host.listen()
    with trio.fail_after(5):
        assert await host.accept() == HELLO
    await host.stream.aclose()
    await host.over()
    assert host.failure == "the host does not answer the hello"
    assert host.prepared == []


@pytest.mark.parametrize(("host_version", "said"), [("", False), (litterbox.__version__, False), ("9.9.9", True)])
def test_another_version_of_the_host_is_told(host_version, said, caplog):
    daemon.warn_of_drift(host_version)
    assert ("the host 9.9.9" in caplog.text) is said
