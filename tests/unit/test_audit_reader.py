"""Reading an audit log back: order, rotation, damaged lines, following, on real files."""

import itertools
import os
import threading

import pytest

from litterbox import audit, audit_reader
from litterbox.audit import AuditLog
from litterbox.audit_reader import lines, parse


def write(log: AuditLog, number: int) -> None:
    log.record(what="sign", detail={"number": number}, decision="approved", by="dialog")


def numbers(read: list[bytes]) -> list[object]:
    return [record.detail["number"] for record in map(parse, read) if record is not None]


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "audit.jsonl")


@pytest.fixture
def small_files(monkeypatch) -> None:
    """Three lines to a file."""
    monkeypatch.setattr(audit, "ROTATE_AT", 400)


@pytest.mark.usefixtures("small_files")
def test_rotated_files_are_read_first_oldest_first(path):
    with AuditLog("work", path=path) as log:
        for number in range(9):
            write(log, number)
    assert os.path.exists(f"{path}.2")
    assert numbers(list(lines(path, follow=False))) == list(range(9))


def test_a_log_that_was_never_written_is_no_empty_log(path):
    with pytest.raises(FileNotFoundError):
        list(lines(path, follow=False))


def test_rotated_files_are_read_where_the_newest_is_missing(path):
    with AuditLog("work", path=path) as log:
        write(log, 1)
    os.rename(path, f"{path}.1")
    assert numbers(list(lines(path, follow=False))) == [1]


def test_a_line_that_is_being_written_is_left_until_it_is_whole(path, monkeypatch):
    monkeypatch.setattr(audit_reader, "_LOOK_AGAIN", 0.01)
    with open(path, "wb", buffering=0) as file:
        file.write(b'{"whole":1}\n{"half":')
        assert list(lines(path, follow=False)) == [b'{"whole":1}\n']
        following = lines(path, follow=True)
        assert next(following) == b'{"whole":1}\n'
        threading.Timer(0.1, lambda: file.write(b"2}\n")).start()
        assert next(following) == b'{"half":2}\n'


@pytest.mark.usefixtures("small_files")
def test_following_goes_on_across_rotations_without_losing_or_repeating_a_line(path, monkeypatch):
    monkeypatch.setattr(audit_reader, "_LOOK_AGAIN", 0.01)
    seen = threading.Semaphore(1)

    def writing() -> None:
        for number in range(30):
            assert seen.acquire(timeout=10)  # the reader is never more than one file behind
            write(log, number)

    with AuditLog("work", path=path) as log:
        writer = threading.Thread(target=writing)
        writer.start()
        got = []
        for line in itertools.islice(lines(path, follow=True), 30):
            got.append(line)
            seen.release()
        writer.join()
    assert os.path.exists(f"{path}.3")
    assert numbers(got) == list(range(30))


def test_following_waits_where_somebody_removed_the_file(path, monkeypatch):
    monkeypatch.setattr(audit_reader, "_LOOK_AGAIN", 0.01)
    with AuditLog("work", path=path) as log:
        write(log, 1)
        following = lines(path, follow=True)
        assert numbers([next(following)]) == [1]
        os.unlink(path)
        threading.Timer(0.1, write, [log, 2]).start()
        assert numbers([next(following)]) == [2]


GOOD = b'{"time":"2026-01-02T03:04:05.678Z","box":"b","what":"sign","detail":{},"decision":"approved","by":"dialog"}'


def test_a_line_of_the_writer_is_parsed():
    record = parse(GOOD)
    assert record is not None
    assert (record.what, record.decision, record.by, record.detail) == ("sign", "approved", "dialog", {})
    assert record.time.isoformat() == "2026-01-02T03:04:05.678000+00:00"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"words"',
        b"[" * 60_000,
        GOOD[:-1],
        GOOD.replace(b'"what":"sign",', b""),
        GOOD.replace(b'"sign"', b"7"),
        GOOD.replace(b"{}", b"[]"),
        GOOD.replace(b"2026-01-02T03:04:05.678Z", b"yesterday"),
        GOOD.replace(b"678Z", b"678"),
    ],
)
def test_a_line_that_is_none_of_the_writers_is_no_record(line):
    assert parse(line) is None
