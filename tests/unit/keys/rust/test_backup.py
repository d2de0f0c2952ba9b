"""The copy of the old store: whole, the user's alone, and in nobody's way."""

import os
import stat
from pathlib import Path

import pytest

from litterbox.errors import HostError
from litterbox.keys.rust import backup


def test_the_copy_is_the_users_alone_whatever_the_umask(keys_ron: Path) -> None:
    before = os.umask(0)
    try:
        place = backup.keep(str(keys_ron), b"old")
    finally:
        os.umask(before)

    assert place == f"{keys_ron}.v2-backup"
    assert Path(place).read_bytes() == b"old"
    assert stat.S_IMODE(os.stat(place).st_mode) == 0o600


def test_the_same_copy_is_not_made_twice(keys_ron: Path) -> None:
    first = backup.keep(str(keys_ron), b"old")

    assert backup.keep(str(keys_ron), b"old") == first
    assert os.listdir(keys_ron.parent) == ["keys.ron.v2-backup"]


def test_another_copy_is_left_alone(keys_ron: Path) -> None:
    places = [backup.keep(str(keys_ron), content) for content in (b"old", b"odd", b"other")]

    assert places == [f"{keys_ron}.v2-backup", f"{keys_ron}.v2-backup-2", f"{keys_ron}.v2-backup-3"]
    assert [Path(place).read_bytes() for place in places] == [b"old", b"odd", b"other"]


def test_what_others_can_read_is_not_our_copy(keys_ron: Path) -> None:
    theirs = keys_ron.parent / "keys.ron.v2-backup"
    theirs.write_bytes(b"old")
    theirs.chmod(0o644)

    assert backup.keep(str(keys_ron), b"old") == f"{keys_ron}.v2-backup-2"


@pytest.mark.parametrize("kind", ["link to nowhere", "link to a file", "pipe", "folder"])
def test_nothing_that_stands_there_is_written_to(keys_ron: Path, tmp_path: Path, kind: str) -> None:
    there, target = keys_ron.parent / "keys.ron.v2-backup", tmp_path / "target"
    if kind == "link to a file":
        target.write_bytes(b"old")
        target.chmod(0o600)
    {
        "link to nowhere": lambda: there.symlink_to(target),
        "link to a file": lambda: there.symlink_to(target),
        "pipe": lambda: os.mkfifo(there),
        "folder": there.mkdir,
    }[kind]()

    assert backup.keep(str(keys_ron), b"old") == f"{keys_ron}.v2-backup-2"
    assert target.exists() == (kind == "link to a file")


def test_a_folder_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be written: No such file or directory"):
        backup.keep(str(tmp_path / "gone" / "keys.ron"), b"old")
