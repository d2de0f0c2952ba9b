"""The limits of a box's user namespace, written into a real one from outside."""

import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from litterbox.container import forked, namespace
from litterbox.errors import HostError

SHOW = "cat /proc/sys/user/max_user_namespaces /proc/sys/user/max_inotify_instances"


@contextmanager
def in_a_namespace(script):
    """A shell that is root of a new user namespace, and goes on with the script when it is sent a line."""
    words = ["unshare", "--user", "--map-root-user", "sh", "-c", f"echo ready; read -r line; {script}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        try:
            assert shell.stdout.readline() == "ready\n"
            yield shell
        finally:
            shell.kill()


def test_what_is_written_counts_in_the_namespace():
    with in_a_namespace(f"{SHOW}; unshare --user true || echo refused") as shell:
        namespace.limit(shell.pid, os.getpid(), {"max_user_namespaces": 0, "max_inotify_instances": 17})
        said, _ = shell.communicate("go\n", timeout=20)
    assert said.split() == ["0", "17", "refused"]


def test_a_box_has_no_namespaces_of_its_own_and_a_share_of_the_inotify_instances():
    with open("/proc/sys/user/max_inotify_instances") as file:
        instances = int(file.read())
    assert namespace.limits(nested=False)["max_user_namespaces"] == 0
    assert 0 < namespace.limits(nested=True)["max_user_namespaces"] <= 1024
    assert namespace.limits(nested=False)["max_inotify_instances"] <= max(16, instances // 4)


def test_a_process_of_somebody_elses_is_left_alone():
    with in_a_namespace(SHOW) as shell:
        with pytest.raises(HostError, match=f"Process {shell.pid} is not the first process of the box"):
            namespace.limit(shell.pid, os.getppid(), {"max_user_namespaces": 0})
        said, _ = shell.communicate("go\n", timeout=20)
    assert said.split()[0] != "0"


def test_a_namespace_in_the_boxs_own_does_not_pass_for_it():
    with in_a_namespace("exec unshare --user sh -c 'echo inner; read -r line'") as shell:
        shell.stdin.write("go\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == "inner\n"
        with pytest.raises(HostError, match="is not the first process of the box"):
            namespace.limit(shell.pid, os.getpid(), {"max_user_namespaces": 0})


def test_a_process_without_a_namespace_of_its_own_is_left_alone():
    with subprocess.Popen(["sleep", "100"]) as sleep:
        with pytest.raises(HostError):
            namespace.limit(sleep.pid, os.getpid(), {"max_user_namespaces": 0})
        sleep.kill()


def test_a_process_that_has_ended_is_an_error():
    with subprocess.Popen(["true"]) as gone:
        pass
    with pytest.raises(HostError, match="could not be written"):
        namespace.limit(gone.pid, os.getpid(), {"max_user_namespaces": 0})


def test_what_the_kernel_refuses_is_said_with_its_reason():
    with in_a_namespace("true") as shell, pytest.raises(HostError, match="could not be written: No such file"):
        namespace.limit(shell.pid, os.getpid(), {"max_no_such_thing": 1})


def test_a_helper_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(forked, "TIMEOUT", 0.1)
    monkeypatch.setattr(namespace, "_write_all", lambda *_: signal.pause())
    with in_a_namespace("true") as shell, pytest.raises(HostError, match=r"could not be written: process .* within"):
        namespace.limit(shell.pid, os.getpid(), {"max_user_namespaces": 0})
