"""An atomic write is all or nothing, private, and leaves no temporary file."""

import errno
import os
import signal
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


def test_a_folder_that_cannot_be_synced_is_not_called_unchanged(tmp_path, monkeypatch):
    """By then the file is the new one."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(files, "sync_folder", fails)
    with pytest.raises(HostError, match="was written, but may be lost in a power cut") as caught:
        files.write_atomically(str(path), b"new")
    assert "as it was" not in caught.value.hint
    assert path.read_bytes() == b"new"


def fails(_path):
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_write_that_fails_says_what_the_file_is_now(tmp_path):
    with pytest.raises(HostError, match="gone/file cannot be written: No such file") as caught:
        files.write_atomically(str(tmp_path / "gone" / "file"), b"new")
    assert caught.value.hint == "The file is as it was."


KILLED = """
import os, signal, sys
from litterbox import files
def kill(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[2], kill)
getattr(files, sys.argv[3])(sys.argv[1], b"secret")
"""


def killed_while_writing(path, call, writer):
    done = subprocess.run([sys.executable, "-c", KILLED, path, call, writer], check=False)
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_writer_left_behind_goes_with_the_next_write(tmp_path):
    path = tmp_path / "file"
    killed_while_writing(path, "rename", "write_atomically")
    assert len(os.listdir(tmp_path)) == 1
    files.write_atomically(str(path), b"new")
    assert os.listdir(tmp_path) == ["file"]


def test_nothing_else_goes_with_it(tmp_path):
    left_alone = [
        f".file.{os.getpid()}.0123abcd",  # a writer that may be at work
        ".file.4194304.0123ABCD",
        ".file.4194304.0123abcde",
        ".file.4194304",
        ".file..0123abcd",
        ".file.-1.0123abcd",
        ".other.4194304.0123abcd",
        "file.4194304.0123abcd",
    ]
    for name in left_alone:
        (tmp_path / name).write_bytes(b"")
    os.symlink("file", tmp_path / ".file.4194304.00000000")
    (tmp_path / ".file.4194304.11111111").mkdir()
    files.write_atomically(str(tmp_path / "file"), b"new")
    assert set(os.listdir(tmp_path)) == {*left_alone, "file", ".file.4194304.00000000", ".file.4194304.11111111"}


def test_one_of_a_number_that_another_process_has_now_goes_when_it_is_old(tmp_path):
    left = tmp_path / f".file.{os.getpid()}.0123abcd"
    left.write_bytes(b"")
    os.utime(left, (0, 0))
    files.write_atomically(str(tmp_path / "file"), b"new")
    assert os.listdir(tmp_path) == ["file"]


@pytest.fixture(params=["without a name", "in place"])
def kind(request, monkeypatch):
    """File systems that have files without names, and those that have none."""
    if request.param == "in place":
        monkeypatch.setattr(files, "_write_unnamed", lambda *_: False)


@pytest.mark.usefixtures("kind")
def test_a_new_file_is_whole_private_and_never_over_another(tmp_path):
    path = str(tmp_path / "file")
    files.write_new(path, b"one")
    assert os.stat(path).st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        files.write_new(path, b"two")
    assert (tmp_path / "file").read_bytes() == b"one"
    files.write_anew(path, b"three")
    assert (tmp_path / "file").read_bytes() == b"three"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.usefixtures("kind")
def test_a_new_file_that_cannot_be_written_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(HostError, match="file cannot be written: Input/output error") as caught:
        files.write_new(str(tmp_path / "file"), b"one")
    assert caught.value.hint == "There is no such file."
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
@pytest.mark.parametrize("writer", ["write_new", "write_anew"])
def test_a_writer_of_a_new_file_that_is_killed_leaves_nothing_behind(tmp_path, call, writer):
    killed_while_writing(tmp_path / "file", call, writer)
    assert os.listdir(tmp_path) == []


def test_a_folder_in_place_of_the_new_file_stays(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(HostError, match="cannot be replaced"):
        files.write_anew(str(tmp_path / "file"), b"one")


def test_a_link_in_place_of_the_new_file_is_replaced_itself(tmp_path):
    (tmp_path / "other").write_bytes(b"old")
    os.symlink("other", tmp_path / "file")
    files.write_anew(str(tmp_path / "file"), b"new")
    assert (tmp_path / "other").read_bytes() == b"old"
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("writer", ["write_atomically", "write_new", "write_anew"])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "rename", "link", "unlink"])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_whatever_fails_what_is_said_of_the_file_is_true(tmp_path, monkeypatch, writer, call, failing):
    path = tmp_path / "file"
    if writer != "write_new":
        path.write_bytes(b"old")
    real, calls = getattr(os, call), []

    def fail_once(*arguments, **options):
        calls.append(arguments)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail_once)
        try:
            getattr(files, writer)(str(path), b"new")
            said = "written"
        except HostError as error:
            said = "written" if error.sentence.startswith(f"{path} was written") else error.hint
    content = path.read_bytes() if path.exists() else None
    assert content == {"written": b"new", "The file is as it was.": b"old", "There is no such file.": None}[said]
    assert os.listdir(tmp_path) in ([], ["file"])
