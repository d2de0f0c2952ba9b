"""An atomic write is all or nothing, private, and leaves no temporary file."""

import os
import subprocess
import sys

import pytest

from litterbox import files
from litterbox.errors import HostError

FULL_DISK = """
import resource, signal, sys
from litterbox import files
from litterbox.errors import HostError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    files.write_atomically(sys.argv[1], b"x" * 5000)
except HostError as error:
    print(error.sentence)
"""


def test_the_new_content_is_there_and_private(tmp_path):
    path = tmp_path / "file"
    files.write_atomically(str(path), b"one")
    files.write_atomically(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_fails_leaves_the_old_content_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path} cannot be written: ")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_private_folder_is_0700_with_its_parents(tmp_path):
    made = files.private_folder(str(tmp_path / "a" / "b"))
    assert os.stat(made).st_mode & 0o777 == 0o700
    assert files.private_folder(made) == made


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(HostError, match="cannot be made"):
        files.private_folder(str(tmp_path / "a"))
