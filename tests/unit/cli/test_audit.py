"""`litterbox audit` as a person and a script read it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from litterbox import paths
from litterbox.audit import AuditLog
from litterbox.cli.audit import command
from litterbox.errors import LitterboxError

ESCAPE = "\x1b"
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def log():
    """Three requests of `litterbox agent`, an hour apart, the last one an hour ago."""
    moments = iter([datetime.now(UTC) - timedelta(hours=hours) for hours in (3, 2, 1)])
    with AuditLog("agent", path=paths.agent_audit_log(), now=lambda: next(moments)) as log:
        log.record(
            what="sign",
            detail={"key": "laptop", "purpose": "log in as git on github.com", "peer": 77},
            decision="approved for this session",
            by="dialog",
        )
        log.record(
            what="add",
            detail={"key": f"{ESCAPE}[2J{ESCAPE}]0;owned\a", "reason": "line\nbreak"},
            decision="refused",
            by="policy",
        )
        log.record(what="list", detail={"keys": 1}, decision="declined", by="timeout")
        yield log


def show(*options: str, **environment: str) -> Result:
    done = CliRunner().invoke(command, ["--agent", *options], env=environment, color=True)
    if isinstance(done.exception, LitterboxError):
        raise done.exception
    return done


@pytest.mark.usefixtures("log")
def test_a_row_tells_what_was_decided_by_whom_and_what_for():
    title, signed, _added, listed = show(NO_COLOR="1").stdout.splitlines()
    assert title.split("  ")[0] == "TIME"
    assert signed.split() == (
        f"{signed[:10]} {signed[11:19]} sign approved (session) dialog 77 laptop log in as git on github.com".split()
    )
    assert listed.split()[2:] == ["list", "declined", "timeout", "-"]


@pytest.mark.usefixtures("log")
def test_what_the_box_wrote_moves_no_cursor():
    added = show(NO_COLOR="1").stdout.splitlines()[2]
    assert ESCAPE not in added
    assert "\a" not in added
    assert "line" in added
    assert "break" in added


@pytest.mark.usefixtures("log")
def test_decisions_have_a_colour_each_unless_the_user_wants_none():
    coloured = show().stdout
    assert [colour in coloured for colour in (f"{ESCAPE}[32m", f"{ESCAPE}[33m", f"{ESCAPE}[31m")] == [True] * 3
    assert ESCAPE not in show(NO_COLOR="1").stdout


@pytest.mark.usefixtures("log")
def test_json_is_the_log_itself():
    with open(paths.agent_audit_log()) as file:
        assert show("--json").stdout == file.read()


@pytest.mark.parametrize(
    ("since", "expected"), [("90m", ["list"]), ("150m", ["add", "list"]), ("1w", ["sign", "add", "list"]), ("9s", [])]
)
@pytest.mark.usefixtures("log")
def test_since_leaves_out_what_is_older(since, expected):
    shown = [json.loads(line)["what"] for line in show("--json", "--since", since).stdout.splitlines()]
    assert shown == expected


@pytest.mark.usefixtures("log")
def test_since_takes_a_moment_with_a_zone_or_in_local_time():
    now = datetime.now(UTC) - timedelta(minutes=90)
    for since in (now.isoformat(), now.astimezone().replace(tzinfo=None).isoformat()):
        assert len(show("--json", "--since", since).stdout.splitlines()) == 1


@pytest.mark.parametrize("since", ["", "soon", "-1h", "1y", "9999999h", "2026-13-01"])
@pytest.mark.usefixtures("log")
def test_a_time_that_is_none_is_named(since):
    with pytest.raises(LitterboxError, match="is not a time"):
        show("--since", since)


@pytest.mark.usefixtures("log")
def test_lines_that_are_none_are_counted_and_left_out():
    with open(paths.agent_audit_log(), "ab") as file:
        file.write(b"garbage\n")
    done = show()
    assert "garbage" not in done.stdout
    assert done.stderr.endswith("is no audit line: 1\n")
    assert done.exit_code == 0


def test_a_log_that_is_not_there_is_said_to_be_empty_yet():
    with pytest.raises(LitterboxError, match="no audit log yet"):
        show()


def test_the_end_of_a_host_command_tells_its_status():
    with AuditLog("agent", path=paths.agent_audit_log()) as log:
        log.record(what="host_exec", detail={"purpose": "sh -c x", "status": 0}, decision="ended", by="host")
        log.record(what="host_exec", detail={"purpose": "sleep 9", "status": "cut off"}, decision="ended", by="host")
    _title, first, second = show(NO_COLOR="1").stdout.splitlines()
    assert first.endswith("sh -c x: status 0")
    assert second.endswith("sleep 9: status cut off")
