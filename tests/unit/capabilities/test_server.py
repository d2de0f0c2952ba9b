"""The host socket: hello first, unknown things answered, the fifth malformed frame closes, silence is bounded."""

import json
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress

import attrs
import pytest
import trio
import trio.testing
from support.streams import connection_of, stream_pair

from litterbox import paths
from litterbox.audit import AuditLog
from litterbox.capabilities import notify, server
from litterbox.capabilities.clipboard import Clipboard
from litterbox.capabilities.connection import MAX_MALFORMED
from litterbox.capabilities.host_exec.commands import open_host_commands
from litterbox.capabilities.notification_service import NotificationError
from litterbox.capabilities.notify import BURST, BURST_INTERVAL, Notifications
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.requests import Requests
from litterbox.capabilities.selections import Selections
from litterbox.capabilities.xdg_open.request import Links
from litterbox.confirm.question import Answer, Question
from litterbox.confirm.said import Said
from litterbox.daemon.sockets import open_unix_listener
from litterbox.limits import MAX_HELD_BY_CAPABILITIES, MAX_NOTIFICATIONS, MESSAGE_TIMEOUT
from litterbox_guest import wire
from litterbox_guest.messages import Notify

HELLO = {"type": "hello", "version": "0.1.0", "container": "work", "capabilities": ["notify", "host_exec"]}


@attrs.define
class Notifier:
    """In place of a desktop: keeps what is shown; an end that a test sets ends what waits."""

    shown: list[Notify] = attrs.field(factory=list)
    withdrawn: int = 0
    end: trio.Event = attrs.field(factory=trio.Event)
    fails: bool = False

    async def notify(self, notice, tell_id):
        if self.fails:
            raise NotificationError("no desktop")
        self.shown.append(notice)
        await tell_id(5)
        if not notice.waits:
            return None
        try:
            await self.end.wait()
        except trio.Cancelled:
            self.withdrawn += 1
            raise
        return "yes"


@attrs.define
class Opener:
    """In place of a desktop: keeps the links that it opened."""

    opened: list[str] = attrs.field(factory=list)

    async def open(self, uri):
        self.opened.append(uri)


@attrs.define
class User:
    """Answers every question in the same way, and keeps what was asked."""

    answer: Answer = Answer.APPROVED_ONCE
    asked: list[Question] = attrs.field(factory=list)
    waits: bool = False
    before_answer: Callable[[], None] = lambda: None

    async def ask(self, question):
        self.asked.append(question)
        if self.waits:
            await trio.sleep_forever()
        self.before_answer()
        return self.answer


@pytest.fixture
def notifier():
    return Notifier()


@pytest.fixture
def opener():
    return Opener()


@pytest.fixture
def user():
    return User()


@pytest.fixture
def audit():
    with AuditLog("work") as log:
        yield log


@pytest.fixture
def guest_daemons():
    return server.GuestDaemons()


@pytest.fixture
def streams():
    with stream_pair() as pair:
        yield pair


@pytest.fixture
async def peer(nursery, streams, notifier, opener, user, audit, guest_daemons):
    policy = Policy(box="work", ask=user.ask, audit=audit)
    async with open_host_commands(policy, lambda: os.environ) as host_commands:
        ours, theirs = streams
        requests = Requests(
            policy=policy,
            notifications=Notifications(policy=policy, notifier=notifier),
            links=Links(policy=policy, opener=opener),
            clipboard=Clipboard(policy=policy, selections=Selections(list)),
            host_commands=host_commands,
        )

        async def run():
            async with theirs:
                await server.serve_connection(theirs, requests, guest_daemons, connection_of(theirs, pid=77))

        nursery.start_soon(run)
        yield Peer(ours)


def chosen(text):
    os.makedirs(paths.definitions(), exist_ok=True)
    with open(paths.settings("work"), "w") as file:
        file.write(text)


def audited():
    with open(paths.audit_log("work")) as file:
        return [json.loads(line) for line in file]


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


async def test_the_handshake_of_the_specification_is_answered_to_the_letter(peer):
    chosen("clipboard = false")
    everything = ["notify", "xdg_open", "clipboard", "host_exec"]
    await peer.send({"type": "hello", "version": "0.1.0", "container": "myenv", "capabilities": everything})
    assert await peer.receive() == {
        "type": "hello_ack",
        "accepted": ["notify", "xdg_open"],
        "rejected": ["clipboard", "host_exec"],
    }


@pytest.mark.parametrize(("grant", "links"), [("true", ["nvidia-smi"]), ('"confirm"', ["nvidia-smi"]), ("false", [])])
async def test_who_keeps_links_is_told_of_the_host_commands_that_have_one(peer, grant, links):
    tables = '[commands.nvidia-smi]\nprogram = "/bin/true"\nlink = true\n[commands.git]\nprogram = "/bin/true"\n'
    chosen(f"host_exec = {grant}\n{tables}")
    await peer.send({**HELLO, "features": ["links"]})
    assert (await peer.receive())["links"] == links


async def test_hello_is_granted_what_the_settings_grant(peer):
    await peer.send(HELLO)
    assert await peer.receive() == {
        "type": "hello_ack",
        "accepted": ["notify"],
        "rejected": ["host_exec"],
    }


@pytest.mark.parametrize("text", ["notify = false", "notify = 3", "not toml"])
async def test_nothing_is_granted_where_the_settings_do_not_or_cannot_be_read(peer, text):
    chosen(text)
    await peer.send(HELLO)
    assert (await peer.receive())["accepted"] == []
    await peer.send({"type": "notify", "summary": "Done"})
    reason = "the settings of the box do not allow it (notify was not granted on this connection)"
    assert await peer.receive() == {"type": "error", "reason": reason}
    [line] = audited()
    assert (line["what"], line["decision"], line["by"], line["detail"]["peer"]) == ("notify", "refused", "policy", 77)


async def test_what_was_granted_on_another_connection_is_not_granted_on_this_one(peer, notifier):
    await peer.send({**HELLO, "capabilities": []})
    assert (await peer.receive())["accepted"] == []
    await peer.send(HELLO)  # a second hello does not widen the first
    assert await peer.receive() == {"type": "hello_ack", "accepted": [], "rejected": ["notify", "host_exec"]}
    await peer.send({"type": "notify", "summary": "Done"})
    assert (await peer.receive())["type"] == "error"
    assert notifier.shown == []


async def test_a_notification_is_shown_and_its_id_told(peer, notifier):
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Done", "tomorrow": 1})
    assert await peer.receive() == {"type": "ack", "id": 5}
    assert notifier.shown == [Notify(summary="Done")]
    [line] = audited()
    assert (line["what"], line["decision"], line["by"]) == ("notify", "approved", "policy")
    assert line["detail"] == {"purpose": '"Done"', "peer": 77}


async def test_a_chosen_action_comes_behind_the_id(peer, notifier):
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Deploy?", "actions": [{"key": "yes", "label": "Yes"}]})
    assert await peer.receive() == {"type": "ack", "id": 5}
    notifier.end.set()
    assert await peer.receive() == {"type": "notify_action_result", "id": 5, "action": "yes"}


async def test_who_goes_away_withdraws_what_waits(peer, notifier):
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Deploy?", "wait": True})
    await peer.receive()
    await peer.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert notifier.withdrawn == 1


async def test_what_came_during_a_request_is_answered_behind_it(peer, notifier):
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Deploy?", "wait": True})
    await peer.send({"type": "ping"})
    assert (await peer.receive())["type"] == "ack"
    notifier.end.set()
    assert (await peer.receive())["type"] == "notify_action_result"
    assert await peer.receive() == {"type": "ack"}


@pytest.mark.parametrize(
    ("answer", "reason", "decision"),
    [
        (Answer.DECLINED, "the user said no", "declined"),
        (Answer.TIMED_OUT, "nobody answered", "declined"),
        (Answer.NOT_SHOWN, "no login of the box has a display to ask on", "declined"),
    ],
)
async def test_confirm_asks_in_words_that_show_all_of_it(peer, user, notifier, answer, reason, decision):
    chosen('notify = "confirm"')
    user.answer = answer
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Done", "body": "all"})
    assert await peer.receive() == {"type": "error", "reason": f"the notification was declined: {reason}"}
    [question] = user.asked
    assert question.fields == (("Summary", (Said("Done"),)), ("Body", (Said("all"),)))
    assert not question.approval
    assert notifier.shown == []
    assert audited()[0]["decision"] == decision


async def test_a_question_that_its_client_withdraws_is_written_down(peer, user):
    chosen('notify = "confirm"')
    user.waits = True
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Done"})
    await trio.testing.wait_all_tasks_blocked()
    await peer.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    [line] = audited()
    assert (line["what"], line["decision"], line["by"]) == ("notify", "declined", "disconnect")


async def test_a_grant_that_is_taken_back_during_the_question_counts(peer, user, notifier):
    chosen('notify = "confirm"')
    user.before_answer = lambda: chosen("notify = false")
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Done"})
    assert "the settings of the box do not allow it" in (await peer.receive())["reason"]
    assert notifier.shown == []
    [line] = audited()
    assert line["decision"] == "refused"


async def test_a_grant_that_was_taken_back_counts_at_once(peer, notifier):
    await greet(peer)
    chosen("notify = false")
    await peer.send({"type": "notify", "summary": "Done"})
    assert "the settings of the box do not allow it" in (await peer.receive())["reason"]
    assert notifier.shown == []


async def test_without_its_audit_line_nothing_is_shown(peer, notifier, audit):
    await greet(peer)
    audit.close()
    os.unlink(paths.audit_log("work"))
    os.mkdir(paths.audit_log("work"))
    await peer.send({"type": "notify", "summary": "Done"})
    assert (await peer.receive())["type"] == "error"
    assert notifier.shown == []


async def test_a_desktop_that_fails_is_an_error_with_a_sentence(peer, notifier):
    notifier.fails = True
    await greet(peer)
    await peer.send({"type": "notify", "summary": "Done"})
    assert await peer.receive() == {"type": "error", "reason": "no desktop"}


async def test_a_link_is_refused_where_its_capability_was_not_granted(peer, opener):
    link = {"type": "xdg_open", "uri": "https://example.org"}
    await greet(peer)
    await peer.send(link)
    assert "xdg_open was not granted on this connection" in (await peer.receive())["reason"]
    assert opener.opened == []


async def test_a_granted_link_is_opened(peer, opener):
    await peer.send({**HELLO, "capabilities": ["xdg_open"]})
    assert (await peer.receive())["accepted"] == ["xdg_open"]
    await peer.send({"type": "xdg_open", "uri": "https://example.org"})
    assert await peer.receive() == {"type": "ack"}
    assert opener.opened == ["https://example.org"]


@pytest.mark.parametrize(
    "fields",
    [{}, {"summary": 3}, {"summary": "x", "timeout": "1"}, {"summary": "x", "timeout": True},
     {"summary": "x", "actions": "yes"}, {"summary": "x", "actions": [{"key": "a"}]}, {"summary": "x", "wait": 1},
     {"summary": "x", "urgency": "high"}, {"summary": "x", "urgency": []}, {"summary": "x", "replaces": 1.0}],
)  # fmt: skip
async def test_fields_of_the_wrong_type_are_named(peer, notifier, fields):
    await greet(peer)
    await peer.send({"type": "notify", **fields})
    answer = await peer.receive()
    assert answer["type"] == "error"
    assert answer["reason"].startswith("invalid notify: ")
    assert notifier.shown == []


async def test_fields_that_we_do_not_know_are_ignored(peer):
    await peer.send({**HELLO, "features": ["tomorrow"]})
    assert (await peer.receive())["type"] == "hello_ack"


async def test_features_are_answered_with_those_that_we_know(peer):
    await peer.send({**HELLO, "features": ["tomorrow", "links"]})
    assert await peer.receive() == {
        "type": "hello_ack",
        "accepted": ["notify"],
        "rejected": ["host_exec"],
        "features": ["links"],
        "links": [],
    }


async def test_who_keeps_links_is_told_to_leave_when_another_comes(peer, guest_daemons):
    await peer.send({**HELLO, "features": ["links"]})
    await peer.receive()
    await guest_daemons.shut_down()
    assert await peer.receive() == {"type": "shutdown"}


async def test_a_guest_daemon_that_hangs_or_is_gone_holds_up_nobody(peer, guest_daemons, autojump_clock):
    await peer.send({**HELLO, "features": ["links"]})
    await peer.receive()
    [connection] = guest_daemons.connections
    async with connection.sending:  # as if the box did not read what was sent before
        before = trio.current_time()
        await guest_daemons.shut_down()
        assert trio.current_time() - before == pytest.approx(1.0)
    await peer.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    await guest_daemons.shut_down()


async def test_others_are_not_told(peer, guest_daemons):
    await peer.send({**HELLO, "features": []})
    assert (await peer.receive())["features"] == []
    await guest_daemons.shut_down()
    await peer.send({"type": "ping"})
    assert await peer.receive() == {"type": "ack"}


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
    for _ in range(MAX_MALFORMED):
        await peer.stream.send_all(b"\0\0\0\x01x")
        assert (await peer.receive())["type"] == "error"
    assert await peer.receive() is None


async def test_who_says_no_hello_is_closed_after_the_deadline(peer, autojump_clock):
    before = trio.current_time()
    assert await peer.receive() is None
    assert trio.current_time() - before == pytest.approx(server.HELLO_TIMEOUT)


async def test_after_hello_there_is_no_deadline(peer, autojump_clock):
    await peer.send(HELLO)
    await peer.receive()
    await trio.sleep(10 * server.HELLO_TIMEOUT)
    await peer.send({"type": "ping"})
    assert await peer.receive() == {"type": "ack"}


async def test_what_is_no_unicode_is_echoed_as_json_has_it(peer):
    await peer.stream.send_all(frame(b'{"type":"hello","version":"1","container":"w","capabilities":["\\ud800"]}'))
    assert (await peer.receive())["rejected"] == ["\ud800"]


async def greet(peer):
    await peer.send(HELLO)
    assert (await peer.receive())["accepted"] == ["notify"]


def frame(body):
    return len(body).to_bytes(4, "big") + body


async def test_a_signal_to_host_exec_withdraws_the_question_about_its_command(peer, user):
    chosen('host_exec = "confirm"\ncommands.true.program = "/bin/true"\n')
    user.waits = True
    await peer.send(HELLO)
    await peer.receive()
    await peer.send({"type": "host_exec", "command": "true", "args": []})
    await peer.send({"type": "host_exec_signal", "signal": "INT"})
    assert await peer.receive() == {"type": "error", "reason": "it was withdrawn by SIGINT", "status": 130}
    assert [line["decision"] for line in audited()] == ["declined"]


@attrs.define
class HostSocket:
    """The box's socket as the daemon serves it; `user` answers."""

    path: str
    clients: ExitStack

    async def connect(self):
        stream = await trio.open_unix_socket(self.path)
        self.clients.enter_context(stream.socket)
        return Peer(stream)


@pytest.fixture
async def host_socket(nursery, notifier, user, audit, guest_daemons):
    policy = Policy(box="work", ask=user.ask, audit=audit)
    requests = Requests(
        policy=policy,
        notifications=Notifications(policy=policy, notifier=notifier),
        links=None,
        clipboard=None,
        host_commands=None,
    )
    path = paths.host_socket("work")
    async with open_unix_listener(path) as listener:
        await nursery.start(server.serve_capabilities, listener, requests, guest_daemons)
        with ExitStack() as clients:
            yield HostSocket(path, clients)


async def refused_of(peers):
    """How many of them the host has closed."""
    await trio.testing.wait_all_tasks_blocked()
    count = 0
    for peer in peers:
        try:
            count += os.read(peer.stream.socket.fileno(), 1) == b""
        except BlockingIOError:
            continue
        except ConnectionResetError:
            count += 1
    return count


HALF = wire.MAX_FRAME.to_bytes(4, "big") + b"x" * (wire.MAX_FRAME - 1000)
ENOUGH = MAX_HELD_BY_CAPABILITIES // wire.MAX_FRAME + 8


async def test_half_frames_of_many_connections_are_bounded_together_and_a_small_message_is_served(host_socket, caplog):
    peers = [await host_socket.connect() for _ in range(ENOUGH)]
    for peer in peers:
        with suppress(trio.BrokenResourceError):
            await peer.stream.send_all(HALF)
    honest = await host_socket.connect()
    await greet(honest)
    refused = await refused_of(peers)
    assert 8 <= refused <= 9  # who came first keeps what it has
    assert "all connections together hold" in caplog.text


@pytest.fixture
def no_rate(monkeypatch):
    monkeypatch.setattr(notify, "BURST", 1000)


async def test_a_message_that_waits_for_its_answer_counts_as_much_as_half_a_frame(no_rate, host_socket, user):
    chosen('notify = "confirm"')
    user.waits = True
    peers = [await host_socket.connect() for _ in range(ENOUGH)]
    for peer in peers:
        with suppress(trio.BrokenResourceError):
            await peer.send(HELLO)
            await peer.send({"type": "notify", "summary": "x" * (wire.MAX_FRAME - 1000)})
    await trio.testing.wait_all_tasks_blocked()
    assert len(user.asked) * wire.MAX_FRAME <= MAX_HELD_BY_CAPABILITIES + wire.MAX_FRAME
    assert len(user.asked) >= ENOUGH - 9


async def test_half_a_frame_has_a_deadline_after_hello_too(host_socket, mock_clock, caplog):
    peer = await host_socket.connect()
    await greet(peer)
    for byte in (b"\0", b"\0", b"\0"):
        await peer.stream.send_all(byte)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(MESSAGE_TIMEOUT / 3)
        await trio.testing.wait_all_tasks_blocked()
    assert await peer.receive() is None
    assert "did not finish it in time" in caplog.text


async def test_a_frame_that_was_finished_takes_its_deadline_along(peer, mock_clock):
    await greet(peer)
    ping = wire.encode({"type": "ping"})
    for _ in range(10):
        await peer.stream.send_all(ping[:7])
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(MESSAGE_TIMEOUT * 0.9)
        await peer.stream.send_all(ping[7:])
        assert await peer.receive() == {"type": "ack"}
    mock_clock.jump(100 * MESSAGE_TIMEOUT)
    await peer.send({"type": "ping"})
    assert await peer.receive() == {"type": "ack"}


NOTICE = {"type": "notify", "summary": "Done"}


async def test_a_flood_of_notifications_reaches_the_desktop_as_a_few_and_says_why(peer, notifier, mock_clock):
    await greet(peer)
    answers = []
    for _ in range(1000):
        await peer.send(NOTICE)
        answers.append(await peer.receive())
    assert len(notifier.shown) == BURST
    assert [answer["type"] for answer in answers[BURST:]] == ["error"] * (1000 - BURST)
    assert answers[-1]["reason"] == (
        "the box shows too many notifications: it may show one in 2 seconds after 20 at once"
    )
    assert audited()[-1]["decision"] == "refused"
    mock_clock.jump(3 * BURST_INTERVAL)
    for _ in range(10):
        await peer.send(NOTICE)
        await peer.receive()
    assert len(notifier.shown) == BURST + 3


async def test_notifications_that_are_waited_for_are_bounded_and_places_come_free(host_socket, notifier, mock_clock):
    waiting = [await host_socket.connect() for _ in range(MAX_NOTIFICATIONS)]
    for peer in waiting:
        await greet(peer)
        await peer.send({**NOTICE, "wait": True})
        assert (await peer.receive())["type"] == "ack"
    more = await host_socket.connect()
    await greet(more)
    await more.send(NOTICE)
    assert "open already" in (await more.receive())["reason"]
    await waiting[0].stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    await more.send(NOTICE)
    assert (await more.receive())["type"] == "ack"
    assert len(notifier.shown) == MAX_NOTIFICATIONS + 1
