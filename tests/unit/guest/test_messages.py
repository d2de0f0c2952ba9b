"""Messages: what is sent is what is read, data in each of its forms, and anything else is one of two errors."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.capabilities.replies import HostExecStdout, encode
from litterbox_guest import messages, wire
from litterbox_guest.messages import (
    Action,
    ClipboardGet,
    ClipboardSet,
    Hello,
    HostExec,
    HostExecResize,
    HostExecSignal,
    HostExecStdin,
    HostExecStdinEof,
    Notify,
    Ping,
    Terminal,
    XdgOpen,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TYPES = (
    "hello", "ping", "notify", "xdg_open", "clipboard_set", "clipboard_get", "host_exec", "host_exec_stdin",
    "host_exec_stdin_eof", "host_exec_signal", "host_exec_resize",
)  # fmt: skip
FIELDS = (
    "version", "container", "capabilities", "features", "summary", "body", "actions", "wait", "uri", "data",
    "mime_type", "primary", "more", "encoding", "command", "args", "working_dir", "terminal", "signal", "rows",
    "columns",
)  # fmt: skip


def through_the_wire(frame):
    reader = wire.FrameReader()
    reader.receive_data(frame)
    return messages.from_guest(reader.next_frame())


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            {"type": "hello", "version": "0.1.0", "container": "myenv",
             "capabilities": ["notify", "xdg_open", "clipboard", "host_exec"]},
            Hello(version="0.1.0", container="myenv", capabilities=["notify", "xdg_open", "clipboard", "host_exec"]),
        ),
        ({"type": "ping"}, Ping()),
        ({"type": "notify", "summary": "s", "actions": [{"key": "k", "label": "l"}]},
         Notify(summary="s", actions=[Action(key="k", label="l")])),
        ({"type": "xdg_open", "uri": "https://x"}, XdgOpen(uri="https://x")),
        ({"type": "clipboard_set", "data": "é"}, ClipboardSet(data="é".encode())),
        ({"type": "clipboard_set", "data": "/w==", "encoding": "base64", "mime_type": "image/png", "more": True},
         ClipboardSet(data=b"\xff", mime_type="image/png", more=True)),
        ({"type": "clipboard_get", "primary": True}, ClipboardGet(primary=True)),
        ({"type": "host_exec", "command": "git", "args": ["status"], "working_dir": "/home/user"},
         HostExec(command="git", args=["status"], working_dir="/home/user")),
        ({"type": "host_exec", "command": "vi", "terminal": {"rows": 24, "columns": 80, "term": "xterm"}},
         HostExec(command="vi", terminal=Terminal(rows=24, columns=80, term="xterm"))),
        ({"type": "host_exec_stdin", "data": ""}, HostExecStdin(data=b"")),
        ({"type": "host_exec_stdin_eof"}, HostExecStdinEof()),
        ({"type": "host_exec_signal", "signal": "INT"}, HostExecSignal(signal="INT")),
        ({"type": "host_exec_resize", "rows": 1, "columns": 2}, HostExecResize(rows=1, columns=2)),
    ],
)  # fmt: skip
def test_each_message_is_read_and_unknown_fields_are_ignored(frame, message):
    assert messages.from_guest(frame) == message
    assert messages.from_guest({**frame, "of the future": [1]}) == message


@given(st.binary(max_size=200), st.booleans())
def test_data_is_read_as_it_was_sent(data, raw):
    reader = wire.FrameReader()
    reader.receive_data(encode(HostExecStdout(data=data), raw=raw))
    frame = {**reader.next_frame(), "type": "host_exec_stdin"}
    assert messages.from_guest(frame) == HostExecStdin(data=data)


@pytest.mark.parametrize(
    "fields",
    [{"data": "/w=", "encoding": "base64"}, {"data": "a b=", "encoding": "base64"}, {"data": "x", "encoding": "rot13"},
     {"data": "x", "encoding": 3}, {"data": "\ud800"}, {"data": "é", "encoding": "base64"}, {"data": 3}, {"data": None},
     {}],
)  # fmt: skip
def test_data_that_is_not_what_it_says_is_invalid(fields):
    with pytest.raises(messages.InvalidMessage):
        messages.from_guest({"type": "host_exec_stdin", **fields})


@given(st.sampled_from(TYPES) | st.text(), st.dictionaries(st.sampled_from(FIELDS) | st.text(), JSON, max_size=8))
def test_anything_is_a_message_or_one_of_two_errors(kind, fields):
    said = "fine"
    try:
        assert attrs.has(type(messages.from_guest({**fields, "type": kind})))
    except (messages.UnknownMessage, messages.InvalidMessage) as error:
        said = str(error)
    assert len(said) < 300
    assert said.isascii()
    assert said.isprintable()


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes_in_any_chunks_are_messages_or_the_documented_errors(chunks):
    reader = wire.FrameReader()
    for chunk in chunks:
        try:
            reader.receive_data(chunk)
            while True:
                try:
                    frame = reader.next_frame()
                    if frame is None:
                        break
                    messages.from_guest(frame)
                except (wire.MalformedFrame, messages.UnknownMessage, messages.InvalidMessage):
                    continue
        except (wire.FrameTooLarge, wire.Truncated):
            return
