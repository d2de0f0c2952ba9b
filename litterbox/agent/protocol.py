"""The agent's side of the SSH agent protocol (RFC 9987): bytes to requests, responses to bytes, no I/O.

A message is a 4-byte big-endian length, a type byte, and a body. `AgentConnection` is what one connection has sent:
feed it with `receive_data`, take requests with `next_request` until it says NEED_DATA, answer each with the bytes of
`encode`. Two things can be wrong with what a peer sends. A length that cannot be breaks the framing, and nothing after
it can be trusted: FramingError, close the connection. A body that does not parse is one bad request in a stream still
in step: Malformed, answered like any request that is refused. Any other exception is a bug of ours.
"""

from enum import Enum, auto
from typing import Final

import attrs
from asyncssh.packet import Byte, String, UInt32

from litterbox.agent.requests import Request, parse

MAX_MESSAGE: Final = 256 * 1024  # bytes after the length, either way: OpenSSH's AGENT_MAX_LEN
_PREFIX: Final = 4

_FAILURE: Final = 5
_SUCCESS: Final = 6
_IDENTITIES_ANSWER: Final = 12
_SIGN_RESPONSE: Final = 14
_EXTENSION_FAILURE: Final = 28
_EXTENSION_RESPONSE: Final = 29


class FramingError(Exception):
    """The peer announced a message that is empty or longer than MAX_MESSAGE: close, and answer nothing."""


class NeedData(Enum):
    """The answer of `next_request` while the buffer holds no whole message."""

    NEED_DATA = auto()


NEED_DATA: Final = NeedData.NEED_DATA


@attrs.frozen
class IdentitiesAnswer:
    """The keys, in order, each as its public blob and its comment."""

    keys: tuple[tuple[bytes, bytes], ...]


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


@attrs.frozen
class ExtensionResponse:
    """What the extension `name` answers: the extensions that there are, in answer to `query` (section 5.9.1)."""

    name: str
    extensions: tuple[str, ...]


@attrs.frozen
class ExtensionFailure:
    """An extension that this agent knows was asked for what cannot be (section 5.9)."""


Response = IdentitiesAnswer | SignResponse | Failure | Success | ExtensionResponse | ExtensionFailure


class AgentConnection:
    """What one connection has sent and not yet had read.

    It holds at most one message and what came in the same `receive_data`, as long as `next_request` is called
    until NEED_DATA before more is fed: a length is checked before its body is waited for.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def unread(self) -> int:
        """How many bytes wait to be read as requests."""
        return len(self._buffer)

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
        return parse(number, body)


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
        case ExtensionResponse(name, extensions):
            message = Byte(_EXTENSION_RESPONSE) + b"".join(map(String, (name, *extensions)))
        case ExtensionFailure():
            message = Byte(_EXTENSION_FAILURE)
    if len(message) > MAX_MESSAGE:
        raise ValueError(f"a response of {len(message)} bytes")
    return String(message)
