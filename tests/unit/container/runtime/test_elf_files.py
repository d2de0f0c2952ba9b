import ctypes
import os
import struct

import pytest
from cryptography.hazmat.bindings import _rust
from hypothesis import given
from hypothesis import strategies as st

from litterbox.container.runtime import elf_files


def elf(word: str, order: str, segments: list[tuple[int, bytes]], *, tail: bytes = b"") -> bytes:
    """A file of that class and byte order: header, segment table, then each segment's content, then `tail`."""
    wide = word == "Q"
    header, entry, shape = (64, 56, "IIQQQQQQ") if wide else (52, 32, "IIIIIIII")
    offset = header + entry * len(segments)
    table = body = b""
    for kind, content in segments:
        size, start = len(content), offset + len(body)
        fields = (kind, 0, start, 0, 0, size, size, 0) if wide else (kind, start, 0, 0, size, size, 0, 0)
        table += struct.pack(order + shape, *fields)
        body += content
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    sections = offset + len(body)
    rest = (2, 62, 1, 0, header, sections, 0, header, entry, len(segments), 40, 7, 6)
    return ident + struct.pack(order + "HHI" + word * 3 + "IHHHHHH", *rest) + table + body + tail


@pytest.mark.parametrize("word", ["I", "Q"], ids=["32 bits", "64 bits"])
@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
def test_the_loader_is_read_for_every_class_and_byte_order(tmp_path, word, order):
    program = tmp_path / "program"
    program.write_bytes(elf(word, order, [(1, b"code"), (3, b"/lib/ld-linux-aarch64.so.1\0")]))

    assert elf_files.loader(str(program)) == "/lib/ld-linux-aarch64.so.1"


def test_the_running_interpreter_names_a_loader_that_is_there():
    loader = elf_files.loader(os.path.realpath("/proc/self/exe"))

    assert loader is not None
    assert os.access(loader, os.X_OK)


def test_a_static_program_names_no_loader(tmp_path):
    program = tmp_path / "program"
    program.write_bytes(elf("Q", "<", [(1, b"code")]))

    assert elf_files.loader(str(program)) is None


@pytest.mark.parametrize(
    "content", [b"", b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01", b"\x7fELF\x09\x09" + bytes(99)]
)
def test_what_is_not_a_whole_elf_file_is_refused(tmp_path, content):
    program = tmp_path / "program"
    program.write_bytes(content)

    with pytest.raises(elf_files.NotElf):
        elf_files.loader(str(program))


@given(st.binary(max_size=200))
def test_no_damage_is_more_than_a_refusal(damage):
    content = bytearray(elf("Q", "<", [(1, b"code"), (3, b"/lib/ld.so\0")]))
    content[16 : 16 + len(damage)] = damage

    try:
        elf_files.trimmed(bytes(content))
    except elf_files.NotElf:
        return


@pytest.mark.parametrize("word", ["I", "Q"], ids=["32 bits", "64 bits"])
def test_what_follows_the_last_segment_is_dropped_with_the_section_table(word):
    segments = [(1, b"code"), (3, b"/lib/ld.so\0")]

    trimmed = elf_files.trimmed(elf(word, "<", segments, tail=b"debug" * 1000))

    with_table = elf(word, "<", segments)
    assert len(trimmed) == len(with_table)
    shoff = (40, 8) if word == "Q" else (32, 4)
    assert trimmed[shoff[0] : sum(shoff)] == bytes(shoff[1])
    assert trimmed.endswith(b"/lib/ld.so\0")


def test_a_trimmed_library_still_loads(tmp_path):
    original = _rust.__file__
    library = tmp_path / "trimmed.so"
    with open(original, "rb") as file:
        library.write_bytes(elf_files.trimmed(file.read()))

    loaded = ctypes.PyDLL(str(library))

    assert loaded.PyInit__rust
    assert library.stat().st_size <= os.path.getsize(original)
