"""A box knows itself and localhost by name, whatever its image left in /etc/hosts."""

import os
import stat

import pytest

from litterbox_guest import hosts

NAME = os.uname().nodename
OURS = f"127.0.0.1\tlocalhost\n::1\tlocalhost\n127.0.1.1\t{NAME}\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "etc" / "hosts"


def test_an_image_without_etc_gets_the_file(path):
    hosts.have_own_names(str(path))
    assert path.read_text() == OURS
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_what_a_build_left_becomes_readable(path):
    path.parent.mkdir()
    path.touch(mode=0o700)
    hosts.have_own_names(str(path))
    assert path.read_text() == OURS
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_second_entry_changes_nothing(path):
    for _ in range(2):
        hosts.have_own_names(str(path))
    assert path.read_text() == OURS


def test_what_the_user_wrote_stays(path):
    path.parent.mkdir()
    path.write_text("127.0.0.1 localhost # ours\n10.0.0.7 database")
    hosts.have_own_names(str(path))
    assert path.read_text() == f"127.0.0.1 localhost # ours\n10.0.0.7 database\n127.0.1.1\t{NAME}\n"


def test_a_name_in_a_comment_is_no_name(path):
    path.parent.mkdir()
    path.write_text(f"127.0.0.1 localhost\n# 127.0.1.1 {NAME}\n")
    hosts.have_own_names(str(path))
    assert path.read_text().endswith(f"\n127.0.1.1\t{NAME}\n")


def test_a_fifo_or_a_folder_in_its_place_holds_nobody_up(path):
    path.parent.mkdir()
    os.mkfifo(path)
    hosts.have_own_names(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        hosts.have_own_names(str(path))
