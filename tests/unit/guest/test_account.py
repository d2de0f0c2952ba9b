import os

import pytest

from litterbox_guest import account
from litterbox_guest.errors import GuestError

PASSWD = "root:x:0:0:root:/root:/bin/bash\n\n#\nuser:x:1000:1000:The user:/home/user:/bin/zsh\n"
GROUP = "root:x:0:\nuser:x:1000:\nwheel:x:10:user,other\ndocker:x:998:other\nbad:x:y:user\naudio:x:29:user\n"


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "passwd").write_text(PASSWD)
    (tmp_path / "group").write_text(GROUP)
    return str(tmp_path)


def test_name_shell_and_groups_are_the_images(etc):
    user = account.Account(1000, 1000, "/home/user", etc)

    assert (user.name, user.shell, user.groups) == ("user", "/bin/zsh", [1000, 10, 29])


def test_a_user_that_the_image_does_not_know_has_numbers_only(etc):
    user = account.Account(1234, 1234, "/home/user", etc)

    assert (user.name, user.shell, user.groups) == ("", "", [1234])


def test_an_image_without_the_files_is_no_error(tmp_path):
    user = account.Account(1000, 1001, "/home/user", str(tmp_path))

    assert (user.name, user.shell, user.groups) == ("", "", [1001])


def test_bytes_that_are_not_utf_8_stay_in_their_line(tmp_path):
    (tmp_path / "passwd").write_bytes(b"j\xf6rg:x:5:5::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n")

    assert account.Account(1000, 1000, "/", str(tmp_path)).name == "user"


def test_the_container_says_who_its_user_is():
    user = account.of_the_box({"LITTERBOX_UID": "1234", "LITTERBOX_GID": "5678"})

    assert (user.uid, user.gid, user.home) == (1234, 5678, "/home/user")


@pytest.mark.parametrize("uid", ["", "0", "-1", "x", "1000 "])
def test_a_user_that_is_not_said_or_is_root_is_refused(uid):
    with pytest.raises(GuestError) as refusal:
        account.of_the_box({"LITTERBOX_UID": uid, "LITTERBOX_GID": "1000"})

    assert refusal.value.status == 125


def test_a_fifo_in_the_place_of_a_table_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "passwd")
    os.mkfifo(tmp_path / "group")

    user = account.Account(1000, 1000, "/home/user", str(tmp_path))

    assert (user.name, user.groups) == ("", [1000])


def test_a_table_without_end_is_read_up_to_the_bound(etc):
    with open(f"{etc}/passwd", "a") as file:
        file.truncate(1024 * account.MAX_TABLE)

    assert account.Account(1000, 1000, "/home/user", etc).name == "user"


def test_a_user_whom_the_image_does_not_know_is_enrolled(etc):
    account.enrol(account.Account(1234, 1234, "/home/user", etc), "me", etc)

    user = account.Account(1234, 1234, "/home/user", etc)
    assert (user.name, user.shell, user.groups) == ("me", "/bin/sh", [1234])
    assert account.Account(1000, 1000, "/home/user", etc).name == "user"
    with open(f"{etc}/group") as file:
        assert file.read() == f"{GROUP}me:*:1234:\n"


def test_a_group_that_the_image_knows_stays_as_it_is(etc):
    account.enrol(account.Account(1234, 10, "/home/user", etc), "me", etc)

    with open(f"{etc}/group") as file:
        assert file.read() == GROUP


@pytest.mark.parametrize("before", [None, "", "root:x:0:0::/:/bin/sh"])
def test_tables_are_made_where_there_are_none_and_a_last_line_is_ended(tmp_path, before):
    if before is not None:
        (tmp_path / "passwd").write_text(before)

    account.enrol(account.Account(1234, 1234, "/home/user", str(tmp_path)), "me", str(tmp_path))

    assert (tmp_path / "passwd").read_text().splitlines() == [
        *([before] if before else []),
        "me:*:1234:1234::/home/user:/bin/sh",
    ]


def test_a_name_that_is_another_users_is_not_given_twice(etc):
    account.enrol(account.Account(1234, 1234, "/home/user", etc), "user", etc)

    with open(f"{etc}/passwd") as file:
        assert file.read() == PASSWD


def test_what_is_no_table_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "passwd")
    os.mkfifo(tmp_path / "group")

    account.enrol(account.Account(1234, 1234, "/home/user", str(tmp_path)), "me", str(tmp_path))
