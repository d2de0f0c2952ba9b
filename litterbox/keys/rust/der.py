"""The little of DER (X.690) that an encrypted private key is made of. Raises ValueError, and nothing else."""

from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30


class Reader:
    """Takes elements off the front of `data`, one after the other; no nesting is followed by itself."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, tag: int) -> bytes:
        """The content of the next element, which must have this tag."""
        if self.next_tag() != tag:
            raise ValueError("an element of another type")
        length, start = self._length(self._at + 1)
        self._at = start + length
        if self._at > len(self._data):
            raise ValueError("an element is cut short")
        return self._data[start : self._at]

    def enter(self) -> "Reader":
        """A reader of the next element, a sequence."""
        return Reader(self.take(SEQUENCE))

    def number(self) -> int:
        """The next element, an integer; a negative one is refused."""
        content = self.take(INTEGER)
        if not content or content[0] & 0x80:
            raise ValueError("a number without digits, or below zero")
        return int.from_bytes(content, "big")

    def next_tag(self) -> int | None:
        """The tag of the next element, None at the end."""
        return self._data[self._at] if self._at < len(self._data) else None

    def end(self) -> None:
        """Refuse more elements."""
        if self._at != len(self._data):
            raise ValueError("more than there should be")

    def _length(self, at: int) -> tuple[int, int]:
        """The length that stands at `at`, and where the content begins. Only the shortest form is DER."""
        size = int.from_bytes(self._data[at : at + 1], "big") & 0x7F
        if self._data[at : at + 1] < b"\x80":
            if not self._data[at : at + 1]:
                raise ValueError("an element is cut short")
            return size, at + 1
        digits = self._data[at + 1 : at + 1 + size]
        length = int.from_bytes(digits, "big")
        if len(digits) != size or length < 0x80 or not digits[0]:
            raise ValueError("a length that is not DER")
        return length, at + 1 + size


def encoded(tag: int, content: bytes) -> bytes:
    """One element."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content
