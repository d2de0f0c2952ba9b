"""Replies as bytes: optional fields are left out, and data takes the form that the client reads."""

import base64

import pytest

from litterbox.capabilities.replies import (
    Ack,
    ClipboardData,
    Error,
    HostExecDone,
    HostExecStderr,
    HostExecStdout,
    NotifyActionResult,
    encode,
)
from litterbox_guest import wire
from litterbox_guest.messages import HelloAck, Shutdown


def read(frame):
    reader = wire.FrameReader()
    reader.receive_data(frame)
    return reader.next_frame()


@pytest.mark.parametrize(
    ("reply", "frame"),
    [
        (HelloAck(accepted=["notify"], rejected=[]), {"type": "hello_ack", "accepted": ["notify"], "rejected": []}),
        (HelloAck(accepted=[], rejected=[], features=["links"], links=[]),
         {"type": "hello_ack", "accepted": [], "rejected": [], "features": ["links"], "links": []}),
        (Shutdown(), {"type": "shutdown"}),
        (Ack(), {"type": "ack"}),
        (Ack(id=0), {"type": "ack", "id": 0}),
        (Ack(stdin=7), {"type": "ack", "stdin": 7}),
        (NotifyActionResult(id=3, action=None), {"type": "notify_action_result", "id": 3, "action": None}),
        (HostExecDone(exit_code=0), {"type": "host_exec_done", "exit_code": 0}),
        (Error(reason="no"), {"type": "error", "reason": "no"}),
        (Error(reason="no", status=4), {"type": "error", "reason": "no", "status": 4}),
    ],
)  # fmt: skip
def test_each_reply_is_the_object_of_the_protocol(reply, frame):
    assert read(encode(reply, raw=True)) == read(encode(reply, raw=False)) == frame


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (ClipboardData(mime_type="a/b", more=True, data=b"x"),
         {"type": "clipboard_data", "mime_type": "a/b", "more": True}),
        (HostExecStdout(data=b"x"), {"type": "host_exec_stdout"}),
        (HostExecStderr(data=b"x"), {"type": "host_exec_stderr"}),
    ],
)  # fmt: skip
def test_data_stands_behind_the_object_only_for_a_client_that_reads_it_there(reply, fields):
    assert read(encode(reply, raw=True)) == {**fields, "data": b"x"}
    assert read(encode(reply, raw=False)) == {**fields, "data": "x"}


def test_data_that_is_not_utf_8_is_base64_for_other_clients():
    frame = read(encode(HostExecStdout(data=b"\xff\0"), raw=False))
    assert frame == {"type": "host_exec_stdout", "data": base64.b64encode(b"\xff\0").decode(), "encoding": "base64"}


def test_text_that_would_be_too_long_as_json_is_base64():
    frame = read(encode(HostExecStdout(data=b"\x01" * wire.CHUNK), raw=False))
    assert frame["encoding"] == "base64"
