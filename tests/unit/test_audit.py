"""The audit log, on real files."""

import errno
import json
import os
import resource
import stat
from datetime import UTC, datetime

import pytest

from litterbox import audit, audit_reader, paths
from litterbox.audit import AuditError, AuditLog
from litterbox.errors import BadBoxName


def record(log: AuditLog, **changes: object) -> None:
    log.record(**{"what": "sign", "detail": {"key": "github"}, "decision": "approved", "by": "dialog", **changes})


def lines(path: str) -> list[dict]:
    with open(path) as file:
        return [json.loads(line) for line in file]


def test_a_line_says_when_which_box_what_and_who_decided():
    now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    with AuditLog("work", now=lambda: now) as log:
        record(log)
    assert lines(paths.audit_log("work")) == [
        {
            "time": "2026-01-02T03:04:05.678Z",
            "box": "work",
            "what": "sign",
            "detail": {"key": "github"},
            "decision": "approved",
            "by": "dialog",
        }
    ]


def test_the_line_is_in_the_file_when_record_returns():
    with AuditLog("work") as log:
        record(log)
        assert len(lines(paths.audit_log("work"))) == 1


def test_the_file_is_the_users_alone():
    with AuditLog("work"):
        assert stat.S_IMODE(os.stat(paths.audit_log("work")).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(paths.logs()).st_mode) == 0o700


def test_a_log_that_is_opened_again_goes_on():
    for _ in range(2):
        with AuditLog("work") as log:
            record(log)
    assert len(lines(paths.audit_log("work"))) == 2


def test_hostile_text_is_one_line_of_printable_ascii():
    with AuditLog("work") as log:
        record(log, detail={"purpose": '\n\x1b[31m\u202e"}\ud800' + "x" * 100_000})
    with open(paths.audit_log("work"), "rb") as file:
        content = file.read()
    assert content.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in content[:-1])
    assert len(content) < 2000


def test_a_bad_box_name_makes_no_file():
    with pytest.raises(BadBoxName):
        AuditLog("../x")


def test_a_log_that_cannot_be_opened_says_why():
    os.makedirs(paths.audit_log("work"))
    with pytest.raises(AuditError, match="Is a directory"):
        AuditLog("work")


def test_a_link_in_place_of_the_log_is_not_followed(tmp_path):
    os.makedirs(paths.logs())
    os.symlink(tmp_path / "elsewhere", paths.audit_log("work"))
    with pytest.raises(AuditError):
        AuditLog("work")
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_an_error_and_leaves_no_torn_line():
    path = paths.audit_log("work")
    with AuditLog("work") as log:
        record(log)
        size = os.stat(path).st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        # A file that may not grow is the same to the writer: a short write, then an error. Python ignores SIGXFSZ.
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
        try:
            with pytest.raises(AuditError):
                record(log)
            assert os.stat(path).st_size == size
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        record(log)
    assert len(lines(path)) == 2


@pytest.mark.parametrize("take", [os.unlink, lambda path: os.rename(path, f"{path}.old")])
def test_a_log_taken_from_under_us_is_made_anew(take):
    path = paths.audit_log("work")
    with AuditLog("work") as log:
        record(log)
        take(path)
        record(log)
    assert len(lines(path)) == 1


def test_a_log_that_grows_is_rotated_and_the_oldest_goes(monkeypatch):
    monkeypatch.setattr(audit, "ROTATE_AT", 500)
    path = paths.audit_log("work")
    with AuditLog("work") as log:
        for number in range(20):
            record(log, detail={"number": number})
    assert sorted(os.listdir(paths.logs())) == [f"audit-work.jsonl{end}" for end in ("", ".1", ".2", ".3")]
    kept = [line["detail"]["number"] for end in (".3", ".2", ".1", "") for line in lines(path + end)]
    assert kept == list(range(kept[0], 20))
    assert all(os.stat(path + end).st_size <= 500 for end in ("", ".1", ".2", ".3"))


def test_closing_twice_does_no_harm():
    log = AuditLog("work")
    log.close()
    log.close()


def test_a_torn_line_does_not_swallow_the_next_one():
    """As a writer leaves it that is killed, or a power cut."""
    path = paths.audit_log("work")
    for _ in range(2):
        with AuditLog("work") as log:
            record(log)
        with open(path, "ab") as file:
            file.write(b'{"time":"2026-')
    with AuditLog("work") as log:
        record(log)
        record(log)
    with open(path, "rb") as file:
        read = [audit_reader.parse(line) for line in file]
    assert [line is not None for line in read] == [True, False, True, False, True, True]
    assert len([line for line in audit_reader.lines(path, follow=False) if audit_reader.parse(line)]) == 4


def numbers_in_files(log_path):
    found = []
    for end in (".3", ".2", ".1", ""):
        if os.path.isfile(log_path + end):
            found += [line["detail"]["number"] for line in lines(log_path + end)]
    return found


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_rotation_that_fails_loses_no_line(monkeypatch, failing):
    """At each of its steps, several times in a row: three moves, and the new file."""
    monkeypatch.setattr(audit, "ROTATE_AT", 500)
    path = paths.audit_log("work")
    with AuditLog("work") as log:
        for number in range(12):
            record(log, detail={"number": number})
        before = numbers_in_files(path)
        assert before == list(range(12))
        with monkeypatch.context() as patch:
            fail_at(patch, failing)
            for number in range(12, 17):
                record(log, detail={"number": number})
        assert numbers_in_files(path)[-8:] == list(range(9, 17))
        record(log, detail={"number": 17})
    after = numbers_in_files(path)
    assert after == list(range(after[0], 18))
    assert len(after) > 12  # of four files with four lines each, the oldest went once, and not with every try


def fail_at(patch, step):
    """Have the step of a rotation fail, whenever it comes; its steps are counted from the live file's on, backwards."""
    replace, opening = os.replace, os.open

    def replacing(source, target):
        if target.endswith(f".{step}"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    def opening_anew(path, flags, *rest, **options):
        if step == 4 and flags & os.O_CREAT and not os.path.exists(path):
            step_four.append(path)
            if len(step_four) == 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opening(path, flags, *rest, **options)

    step_four = []
    patch.setattr(os, "replace", replacing)
    patch.setattr(os, "open", opening_anew)


def test_a_log_that_can_never_be_rotated_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr(audit, "ROTATE_AT", 500)
    monkeypatch.setattr(audit, "MAX_SIZE", 1000)
    path = paths.audit_log("work")
    with AuditLog("work") as log:
        fail_at(monkeypatch, 1)
        while os.stat(path).st_size <= 800:
            record(log)
        with pytest.raises(AuditError, match=r"audit-work\.jsonl cannot be written: Input/output error"):
            record(log, detail={"padding": "x" * 200})
    assert 500 < os.stat(path).st_size <= 1000
