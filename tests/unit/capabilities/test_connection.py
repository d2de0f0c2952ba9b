"""A box's connection as plain bytes: hello first, what it may have, which features hold, and what is not a message."""

import pytest

from litterbox.capabilities.connection import MAX_CAPABILITIES, MAX_MALFORMED, NEED_DATA, BoxConnection, Rejected
from litterbox.capabilities.replies import Error, HostExecStdout
from litterbox_guest import wire
from litterbox_guest.messages import Hello, HelloAck, Notify, Ping

HELLO = {"type": "hello", "version": "1", "container": "work", "capabilities": ["notify", "host_exec"]}
PING = {"type": "ping"}


@pytest.fixture
def box():
    return BoxConnection()


def says(box, *frames):
    """What the box says with these frames, an object or bytes each, as events."""
    for frame in frames:
        box.receive_data(frame if isinstance(frame, bytes) else wire.encode(frame))
    events = []
    while (event := box.next_event()) is not NEED_DATA:
        events.append(event)
    return events


def greeted(box, granted=("notify", "host_exec"), links=(), **fields):
    [hello] = says(box, {**HELLO, **fields})
    return box.greet(hello, granted, links)


def test_a_message_that_comes_in_pieces_is_one_event(box):
    frame = wire.encode(HELLO)
    for byte in frame[:-1]:
        box.receive_data(bytes([byte]))
        assert box.next_event() is NEED_DATA
        assert box.is_partial
    assert says(box, frame[-1:]) == [Hello(version="1", container="work", capabilities=["notify", "host_exec"])]
    assert not box.is_partial


def test_nothing_but_a_hello_is_a_message_before_the_hello(box):
    assert says(box, PING, {"type": "notify", "summary": "x"}) == [Rejected(Error(reason="say hello first"))] * 2
    greeted(box)
    assert says(box, PING, {"type": "notify", "summary": "x"}) == [Ping(), Notify(summary="x")]


def test_a_hello_is_granted_what_it_asks_for_and_the_settings_grant(box):
    assert greeted(box, granted=["notify", "clipboard"]) == HelloAck(accepted=["notify"], rejected=["host_exec"])
    assert box.accepted == {"notify"}


def test_a_second_hello_is_never_granted_more_than_the_first(box):
    greeted(box, capabilities=["notify"])
    assert greeted(box) == HelloAck(accepted=["notify"], rejected=["host_exec"])
    assert box.accepted == {"notify"}


def test_a_second_hello_is_granted_less_where_the_settings_were_changed(box):
    greeted(box)
    assert greeted(box, granted=["notify"]) == HelloAck(accepted=["notify"], rejected=["host_exec"])


def test_features_are_those_that_both_sides_know(box):
    assert greeted(box).features is None
    assert greeted(box, features=["tomorrow", "streams"]).features == ["streams"]
    assert box.features == {"streams"}


@pytest.mark.parametrize(
    ("granted", "features", "links"),
    [
        (["host_exec"], ["links"], ["git"]),
        (["notify"], ["links"], []),
        (["host_exec"], [], None),
        (["host_exec"], None, None),
    ],
)
def test_links_are_told_to_those_who_keep_them_and_may_run_commands(box, granted, features, links):
    assert greeted(box, granted, ["git"], features=features).links == links
    assert box.keeps_links == (links is not None)


@pytest.mark.parametrize("field", ["capabilities", "features"])
def test_a_hello_of_too_many_names_is_rejected_and_another_may_come(box, field):
    [event] = says(box, {**HELLO, field: ["x"] * (MAX_CAPABILITIES + 1)})
    assert event == Rejected(Error(reason=f"a hello names at most {MAX_CAPABILITIES} of each"))
    assert box.accepted is None
    assert greeted(box).accepted == ["notify", "host_exec"]


def test_the_fifth_malformed_frame_closes_and_invalid_messages_do_not_count(box):
    events = says(box, *[{"type": "dance"}] * 10, *[b"\0\0\0\x01x"] * MAX_MALFORMED)
    assert all(isinstance(event, Rejected) for event in events)
    assert [event.closes for event in events] == [False] * (10 + MAX_MALFORMED - 1) + [True]


def test_a_frame_that_is_too_large_cannot_be_read(box):
    box.receive_data((wire.MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(wire.FrameTooLarge):
        box.next_event()


def test_a_message_is_held_until_the_next_one_is_asked_for(box):
    ping = wire.encode(PING)
    greeted(box)
    box.receive_data(ping + ping[:5])
    assert (box.unread, box.held) == (len(ping) + 5, len(ping) + 5)
    assert box.next_event() == Ping()
    assert (box.unread, box.held) == (5, len(ping) + 5)
    assert box.next_event() is NEED_DATA
    assert box.held == 5


@pytest.mark.parametrize(("features", "data"), [(["streams"], b"\xff"), ([], "/w=="), (None, "/w==")])
def test_replies_take_the_form_that_the_client_reads(box, features, data):
    greeted(box, features=features)
    reader = wire.FrameReader()
    reader.receive_data(box.send(HostExecStdout(data=b"\xff")))
    assert reader.next_frame()["data"] == data
