"""What Podman calls running is checked against the processes; a podman of the test's keeps its records in a file."""

import json
import os
import subprocess
import sys

import pytest

from litterbox import paths
from litterbox.container import state
from litterbox.errors import PodmanError

PODMAN = """#!{python}
import json, sys
with open({records!r}) as file:
    records = json.load(file)
container = {{"Status": records["State"], "Pid": records["Pid"], "ConmonPid": records["ConmonPid"]}}
match sys.argv[1:]:
    case ["ps", *_]:
        print(json.dumps([records, {{**records, "Names": ["stranger"]}}]))
    case ["container", "inspect", *_]:
        print(json.dumps(container))
    case ["stop", *_]:
        if records["stops"]:
            with open({records!r}, "w") as file:
                json.dump({{**records, "State": "exited"}}, file)
        sys.exit("Error: conmon exited prematurely, exit code could not be retrieved")
"""
DEAD = 2**22 + 1  # beyond pid_max


@pytest.fixture
def podman_says(tmp_path, monkeypatch):
    """Give the test's podman its records of the box `work`; returns what reads them back."""
    records = str(tmp_path / "records")
    (tmp_path / "podman").write_text(PODMAN.format(python=sys.executable, records=records))
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def say(word, *, main=DEAD, conmon=DEAD, stops=True):
        row = {"Labels": {"work.litterbox.name": "work"}, "Names": ["lbx-work"]}
        with open(records, "w") as file:
            json.dump({**row, "State": word, "Pid": main, "ConmonPid": conmon, "stops": stops}, file)

        def read():
            with open(records) as file:
                return json.load(file)["State"]

        return read

    return say


@pytest.fixture
def conmon():
    """A process that looks as conmon does."""
    program = 'import sys; print("conmon", flush=True); sys.stdin.read()'
    script = f"exec -a /usr/bin/conmon {sys.executable} -c '{program}' -n lbx-work"
    with subprocess.Popen(["bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        while process.stdout.readline() != b"conmon\n":
            pass
        yield process.pid
        process.stdin.close()


def test_a_box_without_processes_is_not_running_and_podman_is_told_so(podman_says, capsys):
    records = podman_says("running")
    assert state.states() == {"work": "exited"}
    assert records() == "exited"
    assert capsys.readouterr().err == (
        "litterbox: Podman still called the box work running, though its processes are gone: that is corrected\n"
    )
    assert not state.is_running("work")
    assert capsys.readouterr().err == ""


def test_another_process_with_the_number_of_the_boxs_is_not_the_box(podman_says):
    records = podman_says("running", main=os.getpid())
    assert state.states() == {"work": "exited"}
    assert records() == "exited"


def test_while_conmon_lives_it_tells_podman_itself(podman_says, conmon, capsys):
    records = podman_says("running", conmon=conmon)
    assert state.states() == {"work": "running"}
    assert records() == "running"
    assert state.look("work") == state.Seen(called_running=True, started=True, main=None, conmon=conmon)
    assert capsys.readouterr().err == ""


def test_another_process_with_the_number_of_conmons_is_not_conmon(podman_says):
    podman_says("running", conmon=os.getpid())
    assert state.look("work").is_phantom


@pytest.mark.parametrize("word", ["exited", "created"])
def test_a_box_that_is_not_called_running_is_left_alone(podman_says, word):
    records = podman_says(word)
    assert state.states() == {"work": word}
    assert not state.correct("work")
    assert records() == word


def test_a_podman_that_cannot_be_corrected_is_an_error(podman_says):
    podman_says("running", stops=False)
    with pytest.raises(PodmanError, match="podman stop --time=0 lbx-work"):
        state.states()


def test_a_process_that_is_not_the_boxs_is_not_killed():
    with subprocess.Popen(["sleep", "1000"]) as bystander:
        state.kill("work", bystander.pid)
        state.kill("work", DEAD)
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("lock", ["/root/.session-work.lock", "/root/.session-work.lock//deleted"])
def test_the_box_is_known_by_its_session_lock(monkeypatch, tmp_path, lock):
    mounts = f"36 35 98:0 / / rw - ext4 /dev/x rw\n37 36 98:0 {lock} /session.lock ro - ext4 /dev/x rw\n"
    (tmp_path / "mountinfo").write_text(mounts)
    real = open
    monkeypatch.setattr("builtins.open", lambda path, *a, **k: real(path.replace("/proc/7", str(tmp_path)), *a, **k))
    assert state.is_main(7, "work")
    assert not state.is_main(7, "wor")
    assert not state.is_main(8, "work")
    assert paths.session_lock("work").endswith("/.session-work.lock")
