"""No command waits for a Podman that hangs: the call is killed, with all of its processes, and said in one sentence."""

import ast
import os
import time
from pathlib import Path

import pytest

import litterbox
from litterbox import files, paths, sessions
from litterbox.cli import main
from litterbox.container import define, podman
from litterbox.daemon import stopping
from litterbox.enter import cold
from litterbox.errors import PodmanError, PodmanTimeout

HANG = """#!/bin/sh
case $1 in --version) echo podman version 5.4.2; exit;; esac
sleep 1000 &
echo $$ $! >>{record}
trap '' TERM
wait
wait
"""
ASK_PODMAN = {
    "list": ["list"],
    "status": ["status"],
    "stop": ["stop", "work"],
    "build": ["build", "work"],
    "delete": ["delete", "work", "--yes"],
}
DO_NOT = {"logs", "audit", "approvals", "settings", "keys", "agent", "define", "completion"}
TESTED_BELOW = {"enter", "daemon"}


def put_on_path(monkeypatch, tmp_path, script):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "podman").write_text(script)
    (folder / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def hanging(monkeypatch, tmp_path):
    """Podman hangs, ignores TERM, and is two processes; yields the file that has their numbers."""
    record = tmp_path / "record"
    record.touch()
    put_on_path(monkeypatch, tmp_path, HANG.format(record=record))
    monkeypatch.setitem(podman.run.__kwdefaults__, "within", 0.3)
    monkeypatch.setattr(podman, "CALL_TIMEOUT", 0.3)
    monkeypatch.setattr(podman, "STORAGE_TIMEOUT", 0.3)
    monkeypatch.setattr(podman, "_TERM_TIMEOUT", 0.1)
    monkeypatch.setattr(stopping, "_PODMAN_TIMEOUT", 0.3)
    define.define("work", template="debian")
    sessions.prepare(paths.session_lock("work"))
    yield record
    left = [pid for pid in map(int, record.read_text().split()) if sessions.start_time(pid) is not None]
    assert left == []


def test_each_command_is_known_to_ask_podman_or_not_to():
    assert {*ASK_PODMAN, *DO_NOT, *TESTED_BELOW} == set(main._COMMANDS)


@pytest.mark.parametrize("words", ASK_PODMAN.values(), ids=ASK_PODMAN.keys())
def test_a_command_ends_when_podman_hangs(hanging, words):
    with pytest.raises(PodmanTimeout, match=r"^`podman .*` did not end within 0 s, and was killed\.$"):
        main.run(words)
    assert hanging.read_text()


def test_starting_a_box_ends_when_podman_hangs(hanging):
    with pytest.raises(PodmanTimeout):
        cold.start_container("work")


def test_an_interrupted_call_leaves_no_podman(hanging, monkeypatch):
    def interrupt(_child, **_options):
        while not hanging.read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(podman.subprocess.Popen, "communicate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        podman.run("ps", within=1000)


def test_what_podman_leaves_running_is_not_waited_for(monkeypatch, tmp_path):
    """A conmon may keep Podman's pipes open, in a session of its own."""
    files.private_folder(paths.root())
    pid = tmp_path / "pid"
    put_on_path(monkeypatch, tmp_path, f"#!/bin/sh\nsetsid sleep 1000 &\necho $! >{pid}\n")
    with pytest.raises(PodmanTimeout):
        podman.run("start", "lbx-work", within=1)
    os.kill(int(pid.read_text()), 9)


def test_a_failure_names_the_command_and_what_podman_said(monkeypatch, tmp_path):
    put_on_path(monkeypatch, tmp_path, "#!/bin/sh\necho 'Error: no such thing' >&2; exit 125\n")
    with pytest.raises(PodmanError) as error:
        podman.run("inspect", "x")
    assert (error.value.sentence, error.value.hint) == (
        "`podman inspect x` failed with status 125.",
        "Error: no such thing",
    )


def test_nobody_else_runs_podman():
    """Only this module, which sets deadlines, and the flow of entering, which becomes `podman exec`."""
    root = Path(litterbox.__file__).parent
    finders = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (
                node.module == "litterbox.container.program"
                or (node.module == "litterbox.container" and any(name.name == "program" for name in node.names))
            ):
                finders.add(str(path.relative_to(root)))
    assert finders == {"container/podman.py", "enter/flow.py"}
