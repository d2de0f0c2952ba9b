"""The agent on a real socket, with a scripted user and keys in memory."""

import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from functools import partial

import asyncssh
import attrs
import pytest
import trio
from asyncssh.packet import Byte, String, UInt32
from trio.testing import wait_all_tasks_blocked

from litterbox import paths
from litterbox.agent import decisions, protocol
from litterbox.agent.added import AddedKeys
from litterbox.agent.identities import Identity, SigningError
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.protocol import MAX_MESSAGE
from litterbox.agent.server import serve_agent
from litterbox.audit import AuditLog
from litterbox.confirm.question import Answer, Question
from litterbox.errors import KeyStoreError
from litterbox.limits import MAX_HELD_BY_AGENT, MESSAGE_TIMEOUT

PRIVATE = asyncssh.generate_private_key("ssh-ed25519", comment="me@host")
BLOB = PRIVATE.public_data
IDENTITY = Identity("github", BLOB, b"me@host")

LIST = String(Byte(11))
FAILURE = bytes([5])
ONE_KEY = Byte(12) + UInt32(1) + String(BLOB) + String("me@host")


def sign_request(data: bytes, key: bytes = BLOB) -> bytes:
    return String(Byte(13) + String(key) + String(data) + UInt32(0))


@attrs.define
class Keys:
    """One key, which can be taken away."""

    keys: list[Identity] = attrs.field(factory=lambda: [IDENTITY])

    def listed(self) -> Sequence[Identity]:
        return self.keys

    def find(self, public_blob: bytes) -> Identity | None:
        return next((key for key in self.keys if key.public_blob == public_blob), None)

    def hide(self, public_blob: bytes) -> None:
        self.keys = [key for key in self.keys if key.public_blob != public_blob]

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes:
        if identity not in self.keys:
            raise SigningError(f"The key {identity.name!r} is no longer attached to work.")
        return PRIVATE.sign(data, b"ssh-ed25519")


@attrs.define
class User:
    """Is asked, and answers at once with `reply`, or with what it awaits."""

    reply: Answer | Callable[[], Awaitable[Answer]] = Answer.APPROVED_ONCE
    asked: list[Question] = attrs.field(factory=list)
    hung_up: trio.Event = attrs.field(factory=trio.Event)

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        if isinstance(self.reply, Answer):
            return self.reply
        try:
            return await self.reply()
        except trio.Cancelled:
            self.hung_up.set()
            raise


@attrs.frozen
class Client:
    stream: trio.SocketStream

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def answer(self) -> bytes:
        """The next response's message; b"" where the connection was closed."""
        length = await self._exactly(4)
        return await self._exactly(int.from_bytes(length, "big")) if length else b""

    async def ask(self, request: bytes) -> bytes:
        await self.send(request)
        return await self.answer()

    async def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count and (piece := await self.stream.receive_some(count - len(got))):
            got += piece
        return got


@attrs.frozen
class Agent:
    path: str
    scope: trio.CancelScope
    clients: ExitStack

    async def connect(self) -> Client:
        stream = await trio.open_unix_socket(self.path)
        self.clients.enter_context(stream.socket)
        return Client(stream)


@asynccontextmanager
async def serving(user: User, keys: Keys | None = None, **changes: object) -> AsyncIterator[Agent]:
    path = str(os.path.join(os.environ["XDG_RUNTIME_DIR"], "agent.sock"))
    with trio.socket.socket(trio.socket.AF_UNIX) as listening, AuditLog("work") as audit, ExitStack() as clients:
        await listening.bind(path)
        listening.listen(128)
        of_agent = {
            "stored": keys or Keys(),
            "added": AddedKeys(),
            "known_hosts": KnownHosts([]),
            "ask": user.ask,
            "audit": audit,
        }
        fields = {field.name for field in attrs.fields(decisions.Agent)}
        of_agent |= {name: value for name, value in changes.items() if name in fields}
        options = {name: value for name, value in changes.items() if name not in fields}
        agent = decisions.Agent(box="work", **of_agent)
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve_agent, trio.SocketListener(listening), agent, **options))
            yield Agent(path, nursery.cancel_scope, clients)
            nursery.cancel_scope.cancel()


def audited() -> list[dict]:
    with open(paths.audit_log("work")) as file:
        return [json.loads(line) for line in file]


async def test_an_approved_list_shows_the_keys():
    user = User()
    async with serving(user) as agent:
        client = await agent.connect()
        assert await client.ask(LIST) == ONE_KEY
    assert [question.box for question in user.asked] == ["work"]
    [line] = audited()
    assert (line["what"], line["decision"], line["by"]) == ("list", "approved", "dialog")
    assert line["detail"] == {"keys": 1, "peer": os.getpid()}


@pytest.mark.parametrize(
    ("answer", "by"),
    [
        (Answer.DECLINED, "dialog"),
        (Answer.TIMED_OUT, "timeout"),
        (Answer.NOT_SHOWN, "no display"),
        (Answer.PAUSED, "pause"),
        (Answer.CROWDED, "full queue"),
    ],
)
@pytest.mark.parametrize(("request_", "what"), [(LIST, "list"), (sign_request(b"data"), "sign")])
async def test_what_is_not_approved_is_refused(request_, what, answer, by):
    async with serving(User(answer)) as agent:
        client = await agent.connect()
        assert await client.ask(request_) == FAILURE
        assert await client.ask(request_) == FAILURE
    assert [(line["what"], line["decision"], line["by"]) for line in audited()] == [(what, "declined", by)] * 2


async def test_an_approved_signature_verifies():
    async with serving(User()) as agent:
        client = await agent.connect()
        response = await client.ask(sign_request(b"data"))
    assert response[0] == 14
    assert PRIVATE.convert_to_public().verify(b"data", response[5:])
    [line] = audited()
    assert line["what"] == "sign"
    assert line["detail"] == {
        "key": "github",
        "fingerprint": PRIVATE.get_fingerprint(),
        "purpose": "sign data that is not an SSH login",
        "peer": os.getpid(),
    }


@pytest.mark.parametrize(
    ("answer", "decision", "by"),
    [
        (Answer.APPROVED_SESSION, "approved for this session", "dialog"),
        (Answer.REMEMBERED, "approved", "session approval"),
    ],
)
async def test_the_audit_line_tells_how_an_approval_came(answer, decision, by):
    async with serving(User(answer)) as agent:
        client = await agent.connect()
        assert await client.ask(LIST) == ONE_KEY
    [line] = audited()
    assert (line["decision"], line["by"]) == (decision, by)


async def test_a_key_that_is_not_attached_is_refused_without_asking():
    user = User()
    async with serving(user) as agent:
        client = await agent.connect()
        assert await client.ask(sign_request(b"data", key=b"another")) == FAILURE
    assert user.asked == []
    [line] = audited()
    assert (line["decision"], line["by"]) == ("refused", "policy")


async def test_a_key_detached_while_the_dialog_was_open_signs_nothing():
    keys = Keys()

    async def detach_first() -> Answer:
        keys.keys.clear()
        return Answer.APPROVED_ONCE

    async with serving(User(detach_first), keys) as agent:
        client = await agent.connect()
        assert await client.ask(sign_request(b"data")) == FAILURE
    [line] = audited()
    assert line["detail"]["reason"] == "The key 'github' is no longer attached to work."


async def test_keys_that_cannot_be_read_are_refused(caplog):
    class Damaged(Keys):
        def listed(self) -> Sequence[Identity]:
            raise KeyStoreError("The key store is damaged.")

        def find(self, public_blob: bytes) -> Identity | None:
            raise KeyStoreError("The key store is damaged.")

    async with serving(User(), Damaged()) as agent:
        client = await agent.connect()
        assert await client.ask(LIST) == FAILURE
        assert await client.ask(sign_request(b"data")) == FAILURE
    assert caplog.text.count("The key store is damaged.") == 2


async def test_what_this_agent_does_not_do_is_refused_and_named(caplog):
    user = User()
    async with serving(user) as agent:
        client = await agent.connect()
        for number in (1, 3, 20, 21, 26, 99):
            assert await client.ask(String(Byte(number) + b"body")) == FAILURE
        assert await client.ask(String(Byte(27) + String(b"teleport@example.org"))) == FAILURE
    assert user.asked == []
    assert [line["what"] for line in audited()][-1] == 'extension "teleport@example.org"'
    assert "work: add smartcard key refused: not supported" in caplog.text


async def test_a_malformed_request_is_refused_and_the_connection_goes_on():
    async with serving(User()) as agent:
        client = await agent.connect()
        assert await client.ask(String(Byte(13) + b"\xff\xff\xff\xff")) == FAILURE
        assert await client.ask(LIST) == ONE_KEY


@pytest.mark.parametrize("length", [0, MAX_MESSAGE + 1, 2**32 - 1])
async def test_an_impossible_length_closes_the_connection_at_once(length, caplog):
    async with serving(User()) as agent:
        client = await agent.connect()
        assert await client.ask(UInt32(length)) == b""
        assert await (await agent.connect()).ask(LIST) == ONE_KEY
    assert f"a message of {length} bytes" in caplog.text


async def test_requests_sent_together_are_answered_in_order():
    async with serving(User()) as agent:
        client = await agent.connect()
        await client.send(LIST + sign_request(b"1") + String(Byte(20)) + sign_request(b"2"))
        answers = [await client.answer() for _ in range(4)]
    assert answers[0] == ONE_KEY
    assert PRIVATE.convert_to_public().verify(b"1", answers[1][5:])
    assert answers[2] == FAILURE
    assert PRIVATE.convert_to_public().verify(b"2", answers[3][5:])


async def test_the_largest_request_is_answered():
    data = b"x" * (MAX_MESSAGE - 1 - 4 - len(BLOB) - 4 - 4)
    async with serving(User()) as agent:
        client = await agent.connect()
        response = await client.ask(sign_request(data))
    assert PRIVATE.convert_to_public().verify(data, response[5:])


async def test_a_dialog_of_one_connection_does_not_hold_up_another():
    user = User(trio.sleep_forever)
    async with serving(user) as agent:
        slow = await agent.connect()
        await slow.send(LIST)
        await wait_all_tasks_blocked()
        user.reply = Answer.APPROVED_ONCE
        assert await (await agent.connect()).ask(LIST) == ONE_KEY


@pytest.mark.parametrize("more", [b"", LIST, b"x" * 3_000])
async def test_a_client_that_hangs_up_withdraws_its_request_whatever_else_it_sent(more):
    user = User(trio.sleep_forever)
    async with serving(user) as agent:
        client = await agent.connect()
        await client.send(sign_request(b"data"))
        await wait_all_tasks_blocked()
        await client.send(more)
        await wait_all_tasks_blocked()
        assert len(user.asked) == 1
        assert not user.hung_up.is_set()
        await client.stream.aclose()
        with trio.fail_after(20):  # it takes a fraction of a millisecond where nothing else runs
            await user.hung_up.wait()
    [line] = audited()
    assert (line["decision"], line["by"]) == ("declined", "disconnect")


async def test_a_client_that_only_stops_sending_gets_its_answer():
    answered = trio.Event()

    async def later() -> Answer:
        await answered.wait()
        return Answer.APPROVED_ONCE

    async with serving(User(later)) as agent:
        client = await agent.connect()
        await client.send(LIST)
        await client.stream.send_eof()
        await wait_all_tasks_blocked()
        answered.set()
        assert await client.answer() == ONE_KEY
        assert await client.answer() == b""


async def test_requests_that_arrive_during_a_dialog_are_answered_after_it():
    answered = trio.Event()

    async def later() -> Answer:
        await answered.wait()
        return Answer.APPROVED_ONCE

    async with serving(User(later)) as agent:
        client = await agent.connect()
        await client.send(LIST)
        await wait_all_tasks_blocked()
        await client.send(sign_request(b"data"))
        await wait_all_tasks_blocked()
        answered.set()
        assert await client.answer() == ONE_KEY
        assert (await client.answer())[0] == 14


async def test_another_uid_is_turned_away(caplog):
    user = User()
    async with serving(user, accepts=lambda peer: peer.uid != os.getuid()) as agent:
        client = await agent.connect()
        assert await client.answer() == b""
    assert user.asked == []
    assert f"agent connection closed: uid {os.getuid()} (process {os.getpid()}) may not connect" in caplog.text


async def test_connections_beyond_the_bound_are_closed_at_once_and_places_come_free():
    async with serving(User(), most=3) as agent:
        clients = [await agent.connect() for _ in range(3)]
        assert await clients[2].ask(LIST) == ONE_KEY
        assert await (await agent.connect()).answer() == b""
        assert await clients[0].ask(LIST) == ONE_KEY
        await clients[0].stream.aclose()
        await wait_all_tasks_blocked()
        assert await (await agent.connect()).ask(LIST) == ONE_KEY


async def test_without_an_audit_line_nothing_is_granted(caplog):
    audit = AuditLog("work")
    audit.close()  # every write now fails, as on a disk that is full
    async with serving(User(), audit=audit) as agent:
        client = await agent.connect()
        assert await client.ask(LIST) == FAILURE
        assert await client.ask(sign_request(b"data")) == FAILURE
        assert await client.ask(String(Byte(20))) == FAILURE
    assert caplog.text.count("cannot be written") == 3


async def test_a_fault_in_one_connection_ends_that_connection_only(caplog):
    async def fault() -> Answer:
        raise ZeroDivisionError

    user = User(fault)
    async with serving(user) as agent:
        first, second = await agent.connect(), await agent.connect()
        assert await first.ask(LIST) == b""
        user.reply = Answer.APPROVED_ONCE
        assert await second.ask(LIST) == ONE_KEY
    assert "ZeroDivisionError" in caplog.text


async def test_a_client_that_reads_nothing_holds_up_nobody():
    async with serving(User()) as agent:
        deaf = await agent.connect()
        with trio.move_on_after(0.2):
            while True:
                await deaf.send(LIST * 1000)
        assert await (await agent.connect()).ask(LIST) == ONE_KEY


HALF = (MAX_MESSAGE).to_bytes(4, "big") + Byte(13) + b"x" * (MAX_MESSAGE - 100)


async def test_half_messages_of_many_connections_are_bounded_together_and_a_small_request_is_served_still(caplog):
    user = User()
    async with serving(user) as agent:
        clients = [await agent.connect() for _ in range(2 * MAX_HELD_BY_AGENT // MAX_MESSAGE)]
        for client in clients:
            with suppress(trio.BrokenResourceError):
                await client.send(HALF)
        await wait_all_tasks_blocked()
        assert await (await agent.connect()).ask(LIST) == ONE_KEY
        still_open = [client for client in clients if not has_ended(client)]
    assert len(still_open) * len(HALF) <= MAX_HELD_BY_AGENT
    assert len(still_open) >= MAX_HELD_BY_AGENT // MAX_MESSAGE - 1  # who came first keeps what it has
    assert "all connections together hold" in caplog.text


async def test_a_request_that_waits_for_its_answer_counts_as_much_as_half_a_message():
    user = User(trio.sleep_forever)
    data = b"x" * (MAX_MESSAGE - 1000)
    async with serving(user) as agent:
        clients = [await agent.connect() for _ in range(2 * MAX_HELD_BY_AGENT // MAX_MESSAGE)]
        for client in clients:
            with suppress(trio.BrokenResourceError):
                await client.send(sign_request(data))
        await wait_all_tasks_blocked()
        assert len(user.asked) * len(data) <= MAX_HELD_BY_AGENT
        user.reply = Answer.APPROVED_ONCE
        assert await (await agent.connect()).ask(LIST) == ONE_KEY


async def test_what_a_connection_held_is_free_when_it_ends():
    async with serving(User()) as agent:
        for _ in range(2 * MAX_HELD_BY_AGENT // MAX_MESSAGE):
            client = await agent.connect()
            await client.send(HALF)
            await client.stream.aclose()
        await wait_all_tasks_blocked()
        client = await agent.connect()
        await client.send(HALF)
        await wait_all_tasks_blocked()
        assert not has_ended(client)


async def test_half_a_message_has_a_deadline_and_an_idle_connection_none(mock_clock, caplog):
    async with serving(User()) as agent:
        idle, slow = await agent.connect(), await agent.connect()
        for byte in LIST[:3]:  # the deadline is the message's, not a byte's
            await slow.send(bytes([byte]))
            await wait_all_tasks_blocked()
            mock_clock.jump(MESSAGE_TIMEOUT / 3)
            await wait_all_tasks_blocked()
        assert await slow.answer() == b""
        assert "did not finish it in time" in caplog.text
        mock_clock.jump(1000 * MESSAGE_TIMEOUT)
        await wait_all_tasks_blocked()
        assert await idle.ask(LIST) == ONE_KEY


async def test_a_client_that_does_not_read_its_answers_is_closed(mock_clock, caplog):
    async with serving(User()) as agent:
        deaf = await agent.connect()
        while fill(deaf):
            await wait_all_tasks_blocked()
        mock_clock.jump(MESSAGE_TIMEOUT + 1)
        await wait_all_tasks_blocked()
        assert "does not read its answers" in caplog.text
        assert await (await agent.connect()).ask(LIST) == ONE_KEY


def fill(client: Client) -> int:
    """Send as many requests as go out without waiting; returns how many bytes that was."""
    sent = 0
    with suppress(BlockingIOError):
        while True:
            sent += os.write(client.stream.socket.fileno(), LIST * 1000)
    return sent


def has_ended(client: Client) -> bool:
    try:
        return os.read(client.stream.socket.fileno(), 1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


async def test_cancelling_closes_every_connection_and_the_listener():
    user = User(trio.sleep_forever)
    async with serving(user) as agent:
        idle, waiting = await agent.connect(), await agent.connect()
        await waiting.send(LIST)
        await wait_all_tasks_blocked()
        agent.scope.cancel()
        with trio.CancelScope(shield=True):
            for _ in range(10):
                await trio.lowlevel.checkpoint()
            assert await idle.answer() == b""
            assert await waiting.answer() == b""
        assert user.hung_up.is_set()
    with closing(socket.socket(socket.AF_UNIX)) as late, pytest.raises(ConnectionRefusedError):
        late.connect(agent.path)


async def test_descriptors_return_to_where_they_were():
    async with serving(User()) as agent:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            client = await agent.connect()
            assert await client.ask(LIST) == ONE_KEY
            await client.stream.aclose()
        await wait_all_tasks_blocked()
        assert len(os.listdir("/proc/self/fd")) == before


class Passes(trio.abc.Instrument):
    """How many large messages were looked at in one pass of the event loop, at most."""

    def __init__(self) -> None:
        self.most = self.now = 0

    def before_io_wait(self, timeout: float) -> None:
        self.now = 0

    def look(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)


async def test_large_messages_that_end_in_the_same_moment_are_looked_at_one_in_each_pass(monkeypatch):
    passes = Passes()
    parse = protocol.parse

    def counted(number: int, body: bytes) -> object:
        passes.look()
        return parse(number, body)

    monkeypatch.setattr(protocol, "parse", counted)
    request = sign_request(bytes(100_000))
    async with serving(User()) as agent:
        clients = [await agent.connect() for _ in range(30)]
        for client in clients:
            await client.send(request[:-1])
        await wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(passes)
        for client in clients:
            os.write(client.stream.socket.fileno(), request[-1:])
        for client in clients:
            assert await client.answer()
        trio.lowlevel.remove_instrument(passes)
    assert passes.most == 1
