"""The raised limit on open files is the daemon's; its children get the old one, and its bounds follow from it."""

import subprocess
import sys

import pytest

STORY = """
import resource, subprocess, sys
from litterbox import limits
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
assert limits.for_children() is None
limits.raise_open_files(512)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True)
subprocess.run(["sh", "-c", "ulimit -S -n"], preexec_fn=limits.for_children(), check=True)
"""

CONNECTIONS = """
import resource, sys
from litterbox import limits
from litterbox.errors import HostError
hard = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
try:
    print(*(limits.connections(listeners) for listeners in (1, 2)), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
except HostError as error:
    print(error.sentence)
"""


def in_a_process(story: str, *arguments: object) -> str:
    words = [sys.executable, "-c", story, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_the_limit_is_raised_here_and_restored_in_a_child():
    assert in_a_process(STORY).split() == ["512", "256"]


@pytest.mark.parametrize(("hard", "one", "two"), [(1024, 256, 128), (4096, 3328, 1664), (16384, 4096, 4096)])
def test_the_connections_of_a_box_leave_open_files_for_the_rest(hard, one, two):
    of_one, of_two, granted = map(int, in_a_process(CONNECTIONS, hard).split())
    assert (of_one, of_two) == (one, two)
    assert granted <= hard
    assert of_one + 768 <= granted or granted == hard
    assert 2 * of_two + 768 <= granted


def test_too_low_a_hard_limit_is_a_sentence():
    assert in_a_process(CONNECTIONS, 512) == "The limit on open files is 512, and Litterbox needs 1024.\n"
