"""The little of ELF that the runtime needs (elf(5)): the loader a program names, and where its loaded part ends."""

import struct
from collections.abc import Iterator

import attrs

_LOAD, _INTERPRETER = 1, 3  # p_type
_ORDERS = {1: "<", 2: ">"}  # e_ident[EI_DATA]


@attrs.frozen
class _Class:
    """What differs between ELF of 32 and of 64 bits: where fields are in the file's header, and a segment's shape."""

    word: str
    segments_at: int  # e_phoff
    segment_count_at: int  # e_phentsize, then e_phnum
    segment: str
    offset: int  # index of p_offset in it
    size: int  # index of p_filesz in it
    sections_at: int  # e_shoff
    section_count_at: int  # e_shnum, then e_shstrndx


_CLASSES = {  # e_ident[EI_CLASS]
    1: _Class("I", 28, 42, "IIIII", 1, 4, 32, 48),
    2: _Class("Q", 32, 54, "IIQQQQ", 2, 5, 40, 60),
}


@attrs.frozen
class _Segment:
    kind: int
    offset: int
    size: int


class NotElf(Exception):
    """The file is not a whole ELF file."""


def loader(path: str) -> str | None:
    """The loader that the program at `path` names, None where it needs none. Raises NotElf and OSError."""
    with open(path, "rb") as file:
        content = file.read()
    for segment in _segments(content):
        if segment.kind == _INTERPRETER:
            return content[segment.offset : segment.offset + segment.size].rstrip(b"\0").decode()
    return None


def trimmed(content: bytes) -> bytes:
    """`content` without what no loader reads: the section table and, after the last segment, debug symbols.

    Raises NotElf.
    """
    form, order = _form(content)
    end = max((segment.offset + segment.size for segment in _segments(content)), default=0)
    kept = bytearray(content[:end])
    try:
        struct.pack_into(order + form.word, kept, form.sections_at, 0)
        struct.pack_into(order + "HH", kept, form.section_count_at, 0, 0)
    except struct.error as error:
        raise NotElf("no segment holds the header") from error
    return bytes(kept)


def _segments(content: bytes) -> Iterator[_Segment]:
    form, order = _form(content)
    try:
        (start,) = struct.unpack_from(order + form.word, content, form.segments_at)
        length, count = struct.unpack_from(order + "HH", content, form.segment_count_at)
        for number in range(count):
            fields = struct.unpack_from(order + form.segment, content, start + number * length)
            yield _Segment(fields[0], fields[form.offset], fields[form.size])
    except (struct.error, OverflowError) as error:
        raise NotElf("cut short") from error


def _form(content: bytes) -> tuple[_Class, str]:
    if content[:4] != b"\x7fELF" or len(content) < 6 or content[4] not in _CLASSES or content[5] not in _ORDERS:
        raise NotElf("no ELF header")
    return _CLASSES[content[4]], _ORDERS[content[5]]
