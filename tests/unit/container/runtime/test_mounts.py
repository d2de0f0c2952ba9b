"""What the kernel says of the runtimes that boxes have mounted."""

import json
import os
import subprocess

import pytest

from litterbox.container import podman
from litterbox.container.runtime import mounts
from litterbox.errors import PodmanError


def boxes(monkeypatch, *pids):
    monkeypatch.setattr(podman, "run", lambda *_arguments: json.dumps([{"Pid": pid} for pid in pids]))


def test_a_process_without_a_runtime_has_none(monkeypatch):
    boxes(monkeypatch, os.getpid())

    assert mounts.mounted() == set()


def test_a_box_whose_process_is_gone_has_none(monkeypatch):
    with subprocess.Popen(["true"]) as process:
        process.wait()
    boxes(monkeypatch, process.pid)

    assert mounts.mounted() == set()


@pytest.mark.parametrize("answer", ["", "null", "[{}]", '[{"Pid": "x"}]'])
def test_an_answer_that_is_none_is_no_knowledge(monkeypatch, answer):
    monkeypatch.setattr(podman, "run", lambda *_arguments: answer)

    assert mounts.mounted() is None


def test_a_podman_that_fails_is_no_knowledge(monkeypatch):
    def fail(*_arguments):
        raise PodmanError("it failed")

    monkeypatch.setattr(podman, "run", fail)

    assert mounts.mounted() is None
