"""Framing without I/O: a 4-byte big-endian length, and then so many bytes of UTF-8 JSON, which is one object.

After the object there may be a NUL byte, which JSON never contains, and then the bytes of the member `data` as they
are. Base64 would more than halve the speed of a stream. Only a peer with the feature STREAMS is sent such frames.

Both sides use this module. It imports neither attrs nor typing, because every interceptor imports it at its start.
"""

import json

MAX_FRAME = 1024 * 1024  # bytes of JSON and data; the connection is closed where a larger length is announced
# The most bytes of a stream in one frame. Both sides give their socket a send buffer of this size, which the kernel
# doubles. With the default size, sender and receiver would have to take turns twice for each frame.
CHUNK = 256 * 1024
STDIN_WINDOW = 512 * 1024  # bytes
# A client with this feature reads frames with data behind the object, and gets an `ack` when its host command begins.
# It sends at most STDIN_WINDOW bytes of input that were not acknowledged. So a signal is never stuck behind input that
# the command does not read.
STREAMS = "streams"

# Values in one frame. A megabyte of empty arrays is 350,000 values, and reading it would take 0.15 s and 25 MB.
MAX_VALUES = 20_000

_PREFIX = 4
_DATA = b"\0"


class FrameTooLarge(Exception):
    """The peer announced a frame of more than MAX_FRAME bytes, or we would send one. Close the connection."""


class MalformedFrame(Exception):
    """The frame is not a JSON object in UTF-8. The next frame can still be read."""


class Truncated(Exception):
    """The peer ended the stream in the middle of a frame."""


def encode(message: "dict[str, object]", data: "bytes | None" = None) -> bytes:
    """Return one frame, with `data` behind the object where it is given. Raises FrameTooLarge."""
    parts = [
        json.dumps(message, separators=(",", ":")).encode("ascii")
    ]  # ASCII: json escapes the rest, even surrogates
    if data is not None:
        parts += [_DATA, data]
    length = sum(map(len, parts))
    if length > MAX_FRAME:
        raise FrameTooLarge(f"a frame of {length} bytes")
    return b"".join([length.to_bytes(_PREFIX, "big"), *parts])  # one copy, because the data of streams is large


class FrameReader:
    """Collects bytes and returns frames: call receive_data(bytes), and then next_frame() until it returns None.

    A length that is too large is an error before the bytes of its frame are collected.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def unread(self) -> int:
        """How many bytes have not been returned as frames yet."""
        return len(self._buffer)

    @property
    def is_partial(self) -> bool:
        """Whether the unread bytes begin with a frame that is not complete."""
        return 0 < len(self._buffer) < _PREFIX + int.from_bytes(self._buffer[:_PREFIX], "big")

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the socket. `b""` is the end of the stream, and raises Truncated inside a frame."""
        if not data and self._buffer:
            raise Truncated(f"{len(self._buffer)} bytes of an unfinished frame")
        self._buffer += data

    def next_frame(self) -> "dict[str, object] | None":
        """Return the next object, or None when more bytes are needed. Bytes behind the object become its `data`.

        Raises FrameTooLarge and MalformedFrame. Takes milliseconds at most, whatever the frame contains.
        """
        if len(self._buffer) < _PREFIX:
            return None
        length = int.from_bytes(self._buffer[:_PREFIX], "big")
        if length > MAX_FRAME:
            raise FrameTooLarge(f"a frame of {length} bytes; the largest has {MAX_FRAME}")
        end = _PREFIX + length
        if len(self._buffer) < end:
            return None
        border = self._buffer.find(_DATA, _PREFIX, end)
        with memoryview(self._buffer) as view:
            body = bytes(view[_PREFIX : end if border < 0 else border])
            data = None if border < 0 else bytes(view[border + 1 : end])
        del self._buffer[:end]
        _check_values(body)
        try:
            message = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise MalformedFrame(f"not JSON in UTF-8: {error}") from error
        if not isinstance(message, dict):
            raise MalformedFrame("not a JSON object")
        if data is not None:
            message["data"] = data
        return message


def _check_values(body: bytes) -> None:
    """Raise MalformedFrame where there are more than MAX_VALUES values. Nearly every frame passes the quick check."""
    if _separators(body) <= MAX_VALUES:
        return
    # Strings may contain any number of commas and brackets, so these do not count. A quote within a string is escaped.
    quotes = body.count(b'"') - body.count(b'\\"')
    if quotes > 4 * MAX_VALUES or _separators(_without_strings(body)) > MAX_VALUES:
        raise MalformedFrame(f"more than {MAX_VALUES} values in one frame")


def _separators(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def _without_strings(body: bytes) -> bytes:
    import re  # start-up budget; json has imported it

    # Possessive: each string is matched to its end, or to the end of the body, and nothing is matched twice.
    return re.sub(rb'"(?:[^"\\]++|\\.?)*+"?', b"", body, flags=re.DOTALL)
