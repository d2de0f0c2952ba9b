"""What travels on a control socket: one message each way, a set of named words, `NAME=VALUE` ended by NUL bytes.

The form of an environment block: it needs no parser to speak of, and the warm path of `enter` must not pay for one.
The sender closes its side behind the message.
"""

MAX_SIZE = 64 * 1024  # bytes

Message = dict[str, str]


class MalformedMessage(ValueError):
    """Bytes that are not a message."""


def encode(message: Message) -> bytes:
    """One message as bytes. A NUL cannot be in a word, as it cannot be in an environment."""
    return "".join(f"{name}={value}\0" for name, value in message.items()).encode("utf-8", "surrogateescape")


def decode(content: bytes) -> Message:
    """The message that `content` is; raises MalformedMessage."""
    if len(content) > MAX_SIZE or content[-1:] not in (b"", b"\0"):
        raise MalformedMessage(f"{len(content)} bytes that are no message")
    words = content.decode("utf-8", "surrogateescape").split("\0")[:-1]
    message = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise MalformedMessage("a word without a name")
        message[name] = value
    return message
