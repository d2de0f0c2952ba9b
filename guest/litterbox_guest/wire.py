"""Framing: a 4-byte big-endian length, then that many bytes of UTF-8 JSON, one object a frame.

Behind the object may stand a NUL byte, which JSON never holds, and the bytes of its member `data` as they are: base64
would more than halve the speed of a stream. Only a peer that has the feature STREAMS is sent such a frame.

Sans-I/O and shared by both sides: bytes in, objects out. It imports neither attrs nor typing, because the one-shot
interceptors and the warm path of `enter` start through it.
"""

import json

MAX_FRAME = 1024 * 1024  # bytes of JSON and data; a larger announced length is answered by closing the connection
# Bytes of a stream in one frame at most. Both sides give their socket a send buffer of that size, which the kernel
# doubles: with the usual one, a frame takes two turns of sender and receiver.
CHUNK = 256 * 1024
STDIN_WINDOW = 512 * 1024  # bytes
# Whoever has this feature reads frames with data behind their object, hears `ack` when its host command runs, and has
# at most STDIN_WINDOW bytes of standard input under way that were not acknowledged, so that a signal is never stuck
# behind input that nobody takes.
STREAMS = "streams"

# Values in one frame: with all of a megabyte as empty arrays, 350,000 of them, reading it takes 0.15 s and 25 MB.
MAX_VALUES = 20_000

_PREFIX = 4
_DATA = b"\0"


class FrameTooLarge(Exception):
    """The peer announced, or we were asked to send, a frame of more than MAX_FRAME bytes. Close the connection."""


class MalformedFrame(Exception):
    """A frame that is not a JSON object in UTF-8. The stream is still in step: the next frame can be read."""


class Truncated(Exception):
    """The peer ended the stream in the middle of a frame."""


def encode(message: "dict[str, object]", data: "bytes | None" = None) -> bytes:
    """One frame, ready to send, with `data` behind the object where it is given; raises FrameTooLarge."""
    parts = [json.dumps(message, separators=(",", ":")).encode("ascii")]  # escapes even what is no UTF-8
    if data is not None:
        parts += [_DATA, data]
    length = sum(map(len, parts))
    if length > MAX_FRAME:
        raise FrameTooLarge(f"a frame of {length} bytes")
    return b"".join([length.to_bytes(_PREFIX, "big"), *parts])  # a stream's pieces are large: copied once


class FrameReader:
    """Collects bytes and hands out frames: receive_data(bytes), then next_frame() until it says None.

    Holds at most one frame and what came in the same read; the length is checked before anything is collected.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def unread(self) -> int:
        """How many bytes wait to be read as frames."""
        return len(self._buffer)

    @property
    def is_partial(self) -> bool:
        """Whether what waits begins with a frame that is not complete."""
        return 0 < len(self._buffer) < _PREFIX + int.from_bytes(self._buffer[:_PREFIX], "big")

    def receive_data(self, data: bytes) -> None:
        """Take what the socket gave. `b""` is the end of the stream: raises Truncated inside a frame."""
        if not data and self._buffer:
            raise Truncated(f"{len(self._buffer)} bytes of an unfinished frame")
        self._buffer += data

    def next_frame(self) -> "dict[str, object] | None":
        """The next object, its `data` as bytes where they stood behind it; None when more bytes are needed.

        Raises FrameTooLarge and MalformedFrame. Takes milliseconds at most, whatever the frame holds.
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
    """Raise MalformedFrame where there are more than MAX_VALUES; an upper bound is enough for nearly every frame."""
    if _separators(body) <= MAX_VALUES:
        return
    # A text may hold as many commas and brackets as it likes. A quote that a text holds stands behind a backslash.
    quotes = body.count(b'"') - body.count(b'\\"')
    if quotes > 4 * MAX_VALUES or _separators(_without_texts(body)) > MAX_VALUES:
        raise MalformedFrame(f"more than {MAX_VALUES} values in one frame")


def _separators(body: bytes) -> int:
    return body.count(b",") + body.count(b"[") + body.count(b"{")


def _without_texts(body: bytes) -> bytes:
    import re  # start-up budget; json has imported it

    # Each text is taken to its end, or to the end of all: no place is looked at twice.
    return re.sub(rb'"(?:[^"\\]++|\\.?)*+"?', b"", body, flags=re.DOTALL)
