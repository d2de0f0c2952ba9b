import os
import shutil
import struct
import subprocess
import sys

import pytest

from litterbox.container.runtime import shared_libraries
from litterbox.errors import RuntimeBundleError


@pytest.fixture
def interpreter():
    return os.path.realpath("/proc/self/exe")


def program_for(loader):
    """A 64-bit program with one segment, the name of its loader."""
    name = loader.encode() + b"\0"
    header = (
        b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    )
    return header + struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(name), len(name), 1) + name


def test_the_running_interpreter_has_a_loader(interpreter):
    assert os.path.basename(shared_libraries.loader(interpreter)).startswith("ld")


def test_an_interpreter_for_musl_is_refused_with_the_way_out(tmp_path):
    program = tmp_path / "python3"
    program.write_bytes(program_for("/lib/ld-musl-x86_64.so.1"))

    with pytest.raises(RuntimeBundleError, match=r"python3: it is not a CPython linked to glibc") as refusal:
        shared_libraries.loader(str(program))
    assert "Install Litterbox with such a Python" in refusal.value.hint


@pytest.mark.parametrize("content", [None, b"", b"#!/bin/sh\n"])
def test_an_interpreter_that_cannot_be_read_is_refused(tmp_path, content):
    program = tmp_path / "python3"
    if content is not None:
        program.write_bytes(content)

    with pytest.raises(RuntimeBundleError, match="The running Python cannot be read"):
        shared_libraries.loader(str(program))


def test_the_closure_has_libc_and_only_files_that_are_there(interpreter):
    loader = shared_libraries.loader(interpreter)

    closure = shared_libraries.closure(loader, [interpreter])

    assert "libc.so.6" in closure
    assert os.path.basename(loader) not in closure
    assert [file for file in closure.values() if not os.path.isfile(file)] == []


def listing(tmp_path, text):
    """A loader that prints this, whatever it is asked."""
    loader = tmp_path / "ld-linux.so.2"
    loader.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
    loader.chmod(0o755)
    return str(loader)


def test_the_loaders_words_of_any_version_are_understood(tmp_path):
    loader = listing(
        tmp_path,
        "\tlinux-vdso.so.1 (0x00007ffd)\n\tlinux-gate.so.1 =>  (0x00007ffd)\n"
        "\tld-linux.so.2 => /lib/ld-linux.so.2 (0x1)\n"
        "\t/lib64/ld-linux.so.2 (0x00007fc0)\n\tlibm.so.6 => /lib/a folder (x)/libm.so.6 (0x00007f)",
    )

    assert shared_libraries.closure(loader, ["python3"]) == {"libm.so.6": "/lib/a folder (x)/libm.so.6"}


def test_a_library_that_is_missing_is_named_with_who_needs_it(tmp_path):
    loader = listing(tmp_path, "\tlibgone.so.7 => not found")

    with pytest.raises(RuntimeBundleError, match=r"libgone\.so\.7, which _gone\.so needs"):
        shared_libraries.closure(loader, ["_gone.so"])


def test_a_relocated_interpreter_names_its_new_loader_and_still_runs(interpreter, tmp_path):
    loader = shared_libraries.loader(interpreter)
    closure = shared_libraries.closure(loader, [interpreter])
    copy, library = str(tmp_path / "python3"), str(tmp_path / "libm.so.6")
    shutil.copyfile(interpreter, copy)
    shutil.copyfile(closure["libm.so.6"], library)

    shared_libraries.relocate(copy, [library], loader="/there/ld.so", libraries="/there/lib")

    assert shared_libraries.loader(copy) == "/there/ld.so"
    paths = ":".join({os.path.dirname(file) for file in closure.values()})
    home = {"PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}"}
    command = [loader, "--library-path", paths, copy, "-S", "-c", "print('runs')"]
    assert subprocess.run(command, capture_output=True, text=True, check=True, env=home).stdout == "runs\n"
