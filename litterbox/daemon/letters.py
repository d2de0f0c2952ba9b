"""What travels on a control socket: one letter each way, a set of named words, `NAME=VALUE` ended by NUL bytes.

The form of an environment block: it needs no parser to speak of, and the warm path of `enter` must not pay for one.
The sender closes its side behind the letter.
"""

LARGEST = 64 * 1024  # bytes

Letter = dict[str, str]


class BadLetter(ValueError):
    """Bytes that are not a letter."""


def encode(letter: Letter) -> bytes:
    """One letter as bytes. A NUL cannot be in a word, as it cannot be in an environment."""
    return "".join(f"{name}={value}\0" for name, value in letter.items()).encode("utf-8", "surrogateescape")


def decode(content: bytes) -> Letter:
    """The letter that `content` is; raises BadLetter."""
    if len(content) > LARGEST or content[-1:] not in (b"", b"\0"):
        raise BadLetter(f"{len(content)} bytes that are no letter")
    words = content.decode("utf-8", "surrogateescape").split("\0")[:-1]
    letter = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadLetter("a word without a name")
        letter[name] = value
    return letter
