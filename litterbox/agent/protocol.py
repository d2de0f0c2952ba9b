"""The agent's side of the SSH agent protocol (RFC 9987): bytes to requests, responses to bytes, no I/O.

A message is a 4-byte big-endian length, a type byte, and a body. `AgentConnection` is the whole of one
connection's state: feed it with `receive_data`, take requests with `next_request` until it says NEED_DATA,
answer each with the bytes of `encode`. Two things can be wrong with what a peer sends. A length that cannot
be breaks the framing, and nothing after it can be trusted: FramingError, close the connection. A body that
does not parse is one bad request in a stream still in step: Malformed, answered like any request that is
refused. Any other exception is a bug of ours.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

import attrs
from asyncssh.packet import Byte, PacketDecodeError, SSHPacket, String, UInt32

MAX_MESSAGE: Final = 256 * 1024  # bytes after the length, either way: OpenSSH's AGENT_MAX_LEN
_PREFIX: Final = 4
_LONGEST_SHOWN_NAME: Final = 64

RSA_SHA2_256: Final = 2  # SSH_AGENT_RSA_SHA2_256 and _512: flags of a sign request (RFC 9987 section 6.2)
RSA_SHA2_512: Final = 4

_FAILURE: Final = 5
_SUCCESS: Final = 6
_REQUEST_IDENTITIES: Final = 11
_IDENTITIES_ANSWER: Final = 12
_SIGN_REQUEST: Final = 13
_SIGN_RESPONSE: Final = 14
_EXTENSION: Final = 27

# The requests that this agent knows by name only (RFC 9987 section 6.1; 1 to 9 are version 1's, long dead).
_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "request RSA identities (version 1)",
        3: "RSA challenge (version 1)",
        7: "add RSA identity (version 1)",
        8: "remove RSA identity (version 1)",
        9: "remove all RSA identities (version 1)",
        _REQUEST_IDENTITIES: "list",
        _SIGN_REQUEST: "sign",
        17: "add identity",
        18: "remove identity",
        19: "remove all identities",
        20: "add smartcard key",
        21: "remove smartcard key",
        22: "lock",
        23: "unlock",
        24: "add constrained RSA identity (version 1)",
        25: "add constrained identity",
        26: "add constrained smartcard key",
        _EXTENSION: "extension",
    }
)


class FramingError(Exception):
    """The peer announced a message that is empty or longer than MAX_MESSAGE: close, and answer nothing."""


class NeedData(Enum):
    """The answer of `next_request` while the buffer holds no whole message."""

    NEED_DATA = auto()


NEED_DATA: Final = NeedData.NEED_DATA


@attrs.frozen
class RequestIdentities:
    """List the keys (RFC 9987 section 5.6)."""


@attrs.frozen
class SignRequest:
    """Sign `data` with the key whose public half is `key_blob` (RFC 9987 section 5.7).

    `flags` is what the client sent, unknown bits included; they matter for RSA keys only.
    """

    key_blob: bytes
    data: bytes
    flags: int


@attrs.frozen
class Unsupported:
    """A request that this agent does not answer: its type byte, and its name, printable, for the log."""

    number: int
    name: str


@attrs.frozen
class Malformed:
    """A request whose body does not parse: its type byte, its name, and what is wrong with it."""

    number: int
    name: str
    reason: str


Request = RequestIdentities | SignRequest | Unsupported | Malformed


@attrs.frozen
class IdentitiesAnswer:
    """The keys, in order, each as its public blob and its comment."""

    keys: tuple[tuple[bytes, str], ...]


@attrs.frozen
class SignResponse:
    """A signature: SSH string of the algorithm, SSH string of the raw signature (RFC 4253 section 6.6)."""

    signature: bytes


@attrs.frozen
class Failure:
    """The request was refused, or is not supported."""


@attrs.frozen
class Success:
    """The request was carried out, and has nothing to say."""


Response = IdentitiesAnswer | SignResponse | Failure | Success


class AgentConnection:
    """What one connection has sent and not yet had read.

    It holds at most one message and what came in the same `receive_data`, as long as `next_request` is called
    until NEED_DATA before more is fed: a length is checked before its body is waited for.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> None:
        """Take what the socket gave. The end of the stream needs no call: nobody waits for half a request."""
        self._buffer += data

    def next_request(self) -> Request | NeedData:
        """The next request in order of arrival, or NEED_DATA. Raises FramingError, then and ever after."""
        buffer = self._buffer
        if len(buffer) < _PREFIX:
            return NEED_DATA
        length = int.from_bytes(buffer[:_PREFIX], "big")
        if not 0 < length <= MAX_MESSAGE:
            raise FramingError(f"a message of {length} bytes")
        end = _PREFIX + length
        if len(buffer) < end:
            return NEED_DATA
        number, body = buffer[_PREFIX], bytes(buffer[_PREFIX + 1 : end])
        del buffer[:end]
        return _parse(number, body)


def encode(response: Response) -> bytes:
    """One response, framed. Raises ValueError when it would be longer than any client accepts."""
    match response:
        case SignResponse(signature):
            message = Byte(_SIGN_RESPONSE) + String(signature)
        case IdentitiesAnswer(keys):
            rows = [String(blob) + String(comment) for blob, comment in keys]
            message = b"".join((Byte(_IDENTITIES_ANSWER), UInt32(len(keys)), *rows))
        case Failure():
            message = Byte(_FAILURE)
        case Success():
            message = Byte(_SUCCESS)
    if len(message) > MAX_MESSAGE:
        raise ValueError(f"a response of {len(message)} bytes")
    return String(message)


def _parse(number: int, body: bytes) -> Request:
    parse = _PARSERS.get(number)
    if parse is None:
        return Unsupported(number, _NAMES.get(number, f"request {number}"))
    try:
        return parse(SSHPacket(body))
    except PacketDecodeError as error:
        return Malformed(number, _NAMES[number], str(error))


def _parse_request_identities(_body: SSHPacket) -> Request:
    return RequestIdentities()


def _parse_sign_request(body: SSHPacket) -> Request:
    return SignRequest(body.get_string(), body.get_string(), body.get_uint32())


def _parse_extension(body: SSHPacket) -> Request:
    name = body.get_string()
    shown = "".join(chr(byte) if 0x21 <= byte <= 0x7E else "?" for byte in name[:_LONGEST_SHOWN_NAME])
    return Unsupported(_EXTENSION, f"extension {shown}")


# As in OpenSSH, bytes after the last field of a list or sign request are not looked at.
_PARSERS: Final[Mapping[int, Callable[[SSHPacket], Request]]] = MappingProxyType(
    {
        _REQUEST_IDENTITIES: _parse_request_identities,
        _SIGN_REQUEST: _parse_sign_request,
        _EXTENSION: _parse_extension,
    }
)
