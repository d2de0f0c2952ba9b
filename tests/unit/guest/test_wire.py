"""Framing: whole objects out of any chunking, and nothing else than the documented exceptions."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox_guest import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def frames_of(reader):
    found = []
    while (frame := reader.next_frame()) is not None:
        found.append(frame)
    return found


@given(st.lists(st.dictionaries(st.text(), JSON), max_size=5), st.integers(1, 64))
def test_frames_come_out_as_they_went_in_whatever_the_chunking(messages, step):
    stream = b"".join(wire.encode(message) for message in messages)
    reader = wire.FrameReader()
    found = []
    for start in range(0, len(stream), step):
        reader.receive_data(stream[start : start + step])
        found += frames_of(reader)
    assert found == messages


@given(st.lists(st.tuples(st.dictionaries(st.text(), JSON), st.none() | st.binary()), max_size=5), st.integers(1, 64))
def test_data_behind_an_object_comes_out_as_it_went_in(pairs, step):
    stream = b"".join(wire.encode(message, data) for message, data in pairs)
    reader = wire.FrameReader()
    found = []
    for start in range(0, len(stream), step):
        reader.receive_data(stream[start : start + step])
        found += frames_of(reader)
    assert found == [message if data is None else {**message, "data": data} for message, data in pairs]
    assert reader.unread == 0


@given(st.lists(st.binary(max_size=64)))
def test_any_bytes_give_objects_or_the_documented_exceptions(chunks):
    reader = wire.FrameReader()
    for chunk in chunks:
        try:
            reader.receive_data(chunk)
            while True:
                try:
                    frame = reader.next_frame()
                except wire.MalformedFrame:
                    continue
                if frame is None:
                    break
                assert isinstance(frame, dict)
        except (wire.FrameTooLarge, wire.Truncated):
            return


def test_a_length_over_the_limit_is_refused_before_its_bytes_are_collected():
    reader = wire.FrameReader()
    reader.receive_data((wire.MAX_FRAME + 1).to_bytes(4, "big"))
    with pytest.raises(wire.FrameTooLarge):
        reader.next_frame()


def test_the_largest_frame_passes_and_one_byte_more_does_not():
    overhead = len(json.dumps({"data": ""}, separators=(",", ":")))
    wire.encode({"data": "x" * (wire.MAX_FRAME - overhead)})
    with pytest.raises(wire.FrameTooLarge):
        wire.encode({"data": "x" * (wire.MAX_FRAME - overhead + 1)})


def test_data_counts_towards_the_limit():
    wire.encode({}, bytes(wire.MAX_FRAME - 3))
    with pytest.raises(wire.FrameTooLarge):
        wire.encode({}, bytes(wire.MAX_FRAME - 2))


def test_data_behind_what_is_no_object_is_malformed():
    reader = wire.FrameReader()
    reader.receive_data(b"\0\0\0\x05[]\0xx" + b"\0\0\0\x03\0{}" + wire.encode({"type": "ping"}))
    for _ in range(2):
        with pytest.raises(wire.MalformedFrame):
            reader.next_frame()
    assert reader.next_frame() == {"type": "ping"}


def test_after_a_malformed_frame_the_next_one_is_read():
    reader = wire.FrameReader()
    reader.receive_data(b"\0\0\0\x02[]" + b"\0\0\0\x01\xff" + wire.encode({"type": "ping"}))
    for _ in range(2):
        with pytest.raises(wire.MalformedFrame):
            reader.next_frame()
    assert reader.next_frame() == {"type": "ping"}


def test_deep_nesting_is_malformed_and_no_crash():
    body = b"[" * 100_000
    reader = wire.FrameReader()
    reader.receive_data(len(body).to_bytes(4, "big") + body)
    with pytest.raises(wire.MalformedFrame):
        reader.next_frame()


def test_the_end_inside_a_frame_is_told():
    reader = wire.FrameReader()
    reader.receive_data(b"\0\0")
    with pytest.raises(wire.Truncated):
        reader.receive_data(b"")


def frame_of(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    "item",
    [b"[],", b"{},", b"1,", b'"",', b'"a",', b'"\\\\",', b'"\\"",', b'{"":[]},', b'["\\",",[],'],
)
def test_a_frame_of_very_many_values_is_malformed_and_the_next_one_is_read(item):
    reader = wire.FrameReader()
    inside = (item * (wire.MAX_FRAME // len(item) - 10))[:-1]
    reader.receive_data(frame_of(b'{"x":[' + inside + b"]}") + wire.encode({"type": "ping"}))
    with pytest.raises(wire.MalformedFrame):
        reader.next_frame()
    assert reader.next_frame() == {"type": "ping"}


@pytest.mark.parametrize("text", [",", "[", "{", '"', "\\", '\\"', '",', '\\",[{', "é"])
def test_a_text_may_hold_as_much_punctuation_as_it_likes(text):
    message = {"x": text * (wire.MAX_FRAME // len(json.dumps(text)) // 2)}
    reader = wire.FrameReader()
    reader.receive_data(wire.encode(message))
    assert reader.next_frame() == message


@pytest.mark.parametrize("count", [wire.MAX_VALUES - 2, wire.MAX_VALUES])
def test_so_many_values_and_no_more(count):
    reader = wire.FrameReader()
    reader.receive_data(wire.encode({"x": ["a,b"] * count}))
    if count < wire.MAX_VALUES:
        assert len(reader.next_frame()["x"]) == count
    else:
        with pytest.raises(wire.MalformedFrame):
            reader.next_frame()


def test_half_a_frame_is_partial_and_a_whole_one_is_not():
    reader = wire.FrameReader()
    whole = wire.encode({"type": "ping"})
    assert not reader.is_partial
    for byte in whole[:-1]:
        reader.receive_data(bytes([byte]))
        assert reader.is_partial
    reader.receive_data(whole[-1:])
    assert not reader.is_partial
