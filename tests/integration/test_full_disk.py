"""On a disk that is full, each writer says so with the path, and what was there stays whole."""

import json
import os
import subprocess
import sys

import pytest

PASSWORD = {"LITTERBOX_PASSWORD_COMMAND": "echo secret", "LITTERBOX_NEW_PASSWORD_COMMAND": "echo secret"}
FULL = "No space left on device"
# In a mount namespace of its own, so that nobody else sees the disk: it is filled to its last byte before the command.
ON_A_FULL_DISK = """
disk=$1 before=$2; shift 2
mount -t tmpfs -o size=256k tmpfs "$disk"
mkdir -p "$disk/Litterbox/definitions/work"
echo FROM scratch >"$disk/Litterbox/definitions/work/Dockerfile"
echo '# mine' >"$disk/Litterbox/definitions/work.toml"
sh -c "$before" >/dev/null || exit 99
cat /dev/zero >"$disk/filler" 2>/dev/null
"$@"
status=$?
rm "$disk/filler"
find "$disk" -type f -exec sha256sum {} +
exit $status
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a command on a full disk; returns how it ended, and the files that are there afterwards."""
    disk = tmp_path / "disk"
    disk.mkdir()
    monkeypatch.setenv("LITTERBOX_ROOT", str(disk / "Litterbox"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    for name, value in PASSWORD.items():
        monkeypatch.setenv(name, value)

    def run(*words, before="true"):
        enclosed = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", ON_A_FULL_DISK, "sh", disk, before]
        done = subprocess.run([*enclosed, *words], capture_output=True, text=True, check=False)
        left = {os.path.relpath(line[66:], disk): line[:64] for line in done.stdout.splitlines() if str(disk) in line}
        assert "Traceback" not in done.stderr
        return done, left

    return run


@pytest.mark.parametrize(
    ("words", "before", "path"),
    [
        (["litterbox", "settings", "work", "set", "notify", "false"], "true", "definitions/work.toml"),
        (["litterbox", "settings", "work", "host-exec", "add", "cat", "/bin/cat"], "true", "definitions/work.toml"),
        (["litterbox", "define", "other", "--template", "debian"], "true", "definitions/other.toml"),
        (["litterbox", "keys", "generate", "mine"], "true", "keys.ron"),
        (["litterbox", "keys", "change-password"], "litterbox keys generate mine", "keys.ron"),
        (["litterbox", "keys", "export", "mine", "exported"], "litterbox keys generate mine", "exported"),
    ],
)
def test_it_says_so_and_changes_nothing(run, tmp_path, words, before, path):
    _, untouched = run("true", before=before)
    words = [str(tmp_path / "disk" / word) if word == "exported" else word for word in words]
    done, left = run(*words, before=before)
    assert done.returncode == 1
    assert FULL in done.stderr
    assert path in done.stderr
    assert {name for name in left if not name.endswith(".lock")} == {
        name for name in untouched if not name.endswith(".lock")
    }
    assert left["Litterbox/definitions/work.toml"] == untouched["Litterbox/definitions/work.toml"]


RECORD = """
from litterbox.audit import AuditLog, AuditError
with AuditLog("work") as log:
    try:
        log.record(what="sign", detail={}, decision="approved", by="dialog")
    except AuditError as error:
        print(error.sentence, error.hint)
"""


def test_the_audit_log_says_so(run):
    done, _left = run(sys.executable, "-c", RECORD)
    assert "audit-work.jsonl cannot be written: No space left on device." in done.stdout


def test_output_to_a_full_disk_is_an_error(run, tmp_path):
    done, _left = run("sh", "-c", f"litterbox settings work --json >{tmp_path}/disk/output")
    assert (done.returncode, done.stderr) == (1, f"litterbox: Standard output cannot be written: {FULL}.\n")
    done, _left = run("sh", "-c", "litterbox settings work --json")
    assert json.loads(done.stdout.partition("\n}")[0] + "}")["notify"] is True
