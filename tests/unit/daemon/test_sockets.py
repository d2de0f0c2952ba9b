"""A listening socket at a path of the user's: private at once, in place only of what is abandoned, gone at the end."""

import os
import socket
import stat

import pytest
import trio

from litterbox.daemon.sockets import open_listener_at
from litterbox.errors import UsageError
from litterbox.paths import MAX_SOCKET_PATH_LENGTH


@pytest.fixture
def path(tmp_path_factory):
    return str(tmp_path_factory.mktemp("s") / "agent.sock")


def is_there(path):
    return os.path.lexists(path)


async def refusal(path):
    with pytest.raises(UsageError) as raised:
        async with open_listener_at(path):
            raise AssertionError("it listens")
    return raised.value.sentence


async def connects(path):
    try:
        async with await trio.open_unix_socket(path):
            return True
    except OSError:
        return False


async def test_it_listens_privately_whatever_the_umask(path):
    before = os.umask(0)
    try:
        async with open_listener_at(path):
            assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
            assert await connects(path)
            assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not is_there(path)


async def test_a_socket_that_nobody_listens_on_is_replaced(path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    async with open_listener_at(path):
        assert await connects(path)


async def test_a_socket_that_somebody_listens_on_is_left_alone(path):
    async with open_listener_at(path):
        assert "listens on" in await refusal(path)
        assert await connects(path)


async def test_a_listener_that_is_too_busy_to_accept_counts_as_one(path):
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(path)
        busy.listen(0)
        first.connect(path)
        assert "listens on" in await refusal(path)
        assert is_there(path)


async def test_a_socket_of_another_kind_is_left_alone(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(path)
        assert "cannot be used" in await refusal(path)
        assert is_there(path)


async def test_a_file_a_folder_and_a_link_are_left_alone(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("precious")
    link.symlink_to("nowhere")
    for taken in (file, tmp_path, link):
        assert "exists already" in await refusal(str(taken))
    assert file.read_text() == "precious"
    assert str(link.readlink()) == "nowhere"


async def test_a_path_of_107_bytes_is_served_and_one_of_108_is_an_error(path):
    longest = f"{path}.{'x' * MAX_SOCKET_PATH_LENGTH}"[:MAX_SOCKET_PATH_LENGTH]
    async with open_listener_at(longest):
        assert await connects(longest)
    assert "longer than the 107 bytes" in await refusal(f"{longest}x")


async def test_a_missing_folder_is_an_error_that_names_the_socket(path):
    assert (
        await refusal(f"{path}/agent.sock")
        == f"The socket {path}/agent.sock cannot be made: No such file or directory."
    )


async def test_what_took_its_place_meanwhile_is_not_removed(path):
    async with open_listener_at(path):
        os.unlink(path)
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(path)
            other.listen()
            theirs = os.lstat(path)
    assert os.path.samestat(os.lstat(path), theirs)


async def test_somebody_removing_it_meanwhile_is_no_error(path):
    async with open_listener_at(path):
        os.unlink(path)
