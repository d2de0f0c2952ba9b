import os
import subprocess

import pytest

from litterbox_guest import proc, sessions


@pytest.fixture
def lock(tmp_path):
    file = tmp_path / "session.lock"
    file.touch()
    return file


def test_each_line_is_a_session(lock):
    lock.write_text("12 3400\n56 7800\n")

    assert sessions.listed(str(lock)) == {"12-3400", "56-7800"}


@pytest.mark.parametrize("line", ["", "12", "12 34 56", "-1 2", "1 x", "a b", "\u0661 2", "\0", "1e3 4"])
def test_lines_that_do_not_parse_are_dropped(lock, line):
    lock.write_text(f"{line}\n12 34\n")

    assert sessions.listed(str(lock)) == {"12-34"}


@pytest.mark.parametrize("content", ["", "\0", "\0" * 8192])
def test_a_lock_without_anything_but_padding_is_empty(lock, content):
    lock.write_text(content)

    assert sessions.is_empty(str(lock))
    assert sessions.listed(str(lock)) == set()


@pytest.mark.parametrize("content", ["\n", "12 34\n" + "\0" * 8186, "\0" * 4096 + "12 34\n"])
def test_a_lock_with_anything_else_is_not_empty(lock, content):
    lock.write_text(content)

    assert not sessions.is_empty(str(lock))


def test_padding_hides_no_session(lock):
    lock.write_text("12 34\n56 78\n" + "\0" * 4096)

    assert sessions.listed(str(lock)) == {"12-34", "56-78"}


def test_a_session_is_listed_or_not(lock):
    lock.write_text("12 34\n")

    assert sessions.is_listed("12-34", str(lock))
    assert not sessions.is_listed("12-35", str(lock))


@pytest.mark.parametrize("name", ["12-34", "1-0"])
def test_session_names(name):
    assert sessions.is_session(name)


@pytest.mark.parametrize("name", ["", "-", "12", "12-", "-34", "1-2-3", "../1-2", "1-2/..", "a-b", "\u0661-2"])
def test_what_is_no_session_name_never_becomes_a_path(name):
    assert not sessions.is_session(name)


def test_a_record_names_the_process_and_its_start(tmp_path):
    sessions.record("12-34", os.getpid(), folder=str(tmp_path))

    start_time = proc.stat(os.getpid())[proc.START_TIME]
    assert sessions.recorded(str(tmp_path)) == {"12-34": (os.getpid(), start_time)}
    assert os.listdir(tmp_path) == ["12-34"]


def test_a_forgotten_record_is_gone_and_may_be_forgotten_again(tmp_path):
    sessions.record("12-34", os.getpid(), folder=str(tmp_path))

    sessions.forget("12-34", folder=str(tmp_path))
    sessions.forget("12-34", folder=str(tmp_path))

    assert sessions.recorded(str(tmp_path)) == {}


def test_no_folder_is_no_record(tmp_path):
    assert sessions.recorded(str(tmp_path / "none")) == {}


@pytest.mark.parametrize("content", ["", "12", "a b", "1 2 3"])
def test_a_record_that_is_none_is_passed_over(tmp_path, content):
    (tmp_path / "12-34").write_text(content)

    assert sessions.recorded(str(tmp_path)) == {}


def test_the_fields_of_a_process_are_found_behind_any_name(tmp_path):
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([odd, "60"]) as process:
        fields = proc.stat(process.pid)
        process.kill()

    assert fields[proc.PARENT] == str(os.getpid())


def test_a_process_that_is_gone_is_said_to_be():
    with pytest.raises(ProcessLookupError):
        proc.stat(2**30)
