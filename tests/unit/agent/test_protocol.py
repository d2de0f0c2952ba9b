"""The agent protocol, with plain bytes."""

import hypothesis.strategies as st
import pytest
from asyncssh.packet import Byte, String, UInt32
from hypothesis import given

from litterbox.agent.protocol import (
    MAX_MESSAGE,
    NEED_DATA,
    AgentConnection,
    ExtensionFailure,
    ExtensionResponse,
    Failure,
    FramingError,
    IdentitiesAnswer,
    SignResponse,
    Success,
    encode,
)
from litterbox.agent.requests import Malformed, RequestIdentities, SignRequest, Unsupported

LIST = String(Byte(11))
SIGN = String(Byte(13) + String(b"key") + String(b"data") + UInt32(4))


def requests(*pieces: bytes) -> list[object]:
    """Everything that a connection makes of these pieces."""
    connection = AgentConnection()
    found = []
    for piece in pieces:
        connection.receive_data(piece)
        while (request := connection.next_request()) is not NEED_DATA:
            found.append(request)
    return found


def test_a_list_request():
    assert requests(LIST) == [RequestIdentities()]


def test_a_sign_request():
    assert requests(SIGN) == [SignRequest(b"key", b"data", 4)]


def test_requests_come_in_order_whatever_pieces_they_arrive_in():
    stream = LIST + SIGN + LIST
    assert requests(*(bytes([byte]) for byte in stream)) == requests(stream)
    assert requests(stream) == [RequestIdentities(), SignRequest(b"key", b"data", 4), RequestIdentities()]


def test_half_a_request_needs_more_data():
    assert requests(SIGN[:-1]) == []


@pytest.mark.parametrize(
    ("number", "name"),
    [(1, "request RSA identities (version 1)"), (20, "add smartcard key"), (200, "request 200")],
)
def test_other_requests_are_known_by_name(number, name):
    assert requests(String(Byte(number) + b"whatever")) == [Unsupported(number, name)]


def test_an_extension_is_known_by_its_own_name():
    message = String(Byte(27) + String(b"teleport@example.org") + b"rest")
    assert requests(message) == [Unsupported(27, 'extension "teleport@example.org"')]


def test_the_name_of_an_extension_is_bounded_and_printable():
    [request] = requests(String(Byte(27) + String(b"\x1b[31m\n" + b"x" * 100_000)))
    assert len(request.name) < 100
    assert request.name.isprintable()


@pytest.mark.parametrize("body", [b"", String(b"key"), String(b"key") + String(b"data"), UInt32(2**32 - 1)])
def test_a_sign_request_cut_short_is_malformed_and_the_next_one_is_read(body):
    bad, good = requests(String(Byte(13) + body) + LIST)
    assert isinstance(bad, Malformed)
    assert (bad.number, bad.name) == (13, "sign")
    assert good == RequestIdentities()


def test_bytes_after_the_last_field_are_not_looked_at():
    assert requests(String(Byte(11) + b"more")) == [RequestIdentities()]
    assert requests(String(SIGN[4:] + b"more")) == [SignRequest(b"key", b"data", 4)]


@pytest.mark.parametrize("length", [0, MAX_MESSAGE + 1, 2**32 - 1])
def test_an_impossible_length_is_told_from_its_four_bytes_and_for_ever(length):
    connection = AgentConnection()
    connection.receive_data(UInt32(length))
    for _ in range(2):
        with pytest.raises(FramingError):
            connection.next_request()


def test_the_largest_message_is_read():
    body = Byte(13) + String(b"key") + String(b"x" * (MAX_MESSAGE - 1 - 4 - 3 - 4 - 4)) + UInt32(0)
    assert len(body) == MAX_MESSAGE
    [request] = requests(String(body))
    assert isinstance(request, SignRequest)


def test_responses_on_the_wire():
    assert encode(Failure()) == bytes.fromhex("0000000105")
    assert encode(Success()) == bytes.fromhex("0000000106")
    assert encode(SignResponse(b"sig")) == bytes.fromhex("00000008 0e 00000003") + b"sig"
    answer = IdentitiesAnswer(((b"blob", b"me@host"),))
    assert encode(answer) == String(Byte(12) + UInt32(1) + String(b"blob") + String("me@host"))
    assert encode(ExtensionFailure()) == bytes.fromhex("000000011c")
    assert encode(ExtensionResponse("query", ("a", "b"))) == String(
        Byte(29) + String("query") + String("a") + String("b")
    )
    assert encode(IdentitiesAnswer(())) == bytes.fromhex("000000050c00000000")


def test_a_response_that_no_client_accepts_is_not_encoded():
    with pytest.raises(ValueError, match="262149 bytes"):
        encode(SignResponse(b"x" * MAX_MESSAGE))


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes_give_requests_or_the_documented_exception(pieces):
    connection = AgentConnection()
    fed = taken = 0
    for piece in pieces:
        connection.receive_data(piece)
        fed += len(piece)
        try:
            while connection.next_request() is not NEED_DATA:
                taken += 5  # the least that a request takes
        except FramingError:
            return
    assert taken <= fed


messages = st.one_of(
    st.just(Byte(11)),
    st.builds(
        lambda key, data, flags: Byte(13) + String(key) + String(data) + UInt32(flags),
        st.binary(max_size=50),
        st.binary(max_size=50),
        st.integers(0, 2**32 - 1),
    ),
    st.binary(min_size=1, max_size=50),
)


@given(st.lists(messages, max_size=20), st.data())
def test_one_request_for_each_message_in_order_in_any_chunking(bodies, data):
    stream = b"".join(map(String, bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found = requests(*pieces)
    assert found == [request for body in bodies for request in requests(String(body))]
    assert len(found) == len(bodies)


@given(st.lists(st.binary(min_size=1, max_size=4096), max_size=50), st.integers(0, MAX_MESSAGE))
def test_the_buffer_holds_one_message_and_one_read_at_most(pieces, length):
    connection = AgentConnection()
    connection.receive_data(UInt32(length))
    for piece in pieces:
        try:
            while connection.next_request() is not NEED_DATA:
                pass
        except FramingError:
            return
        connection.receive_data(piece)
        assert len(connection._buffer) <= 4 + MAX_MESSAGE + 4096
