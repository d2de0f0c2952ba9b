"""The raised limit on open files is the daemon's; its children get the old one."""

import subprocess
import sys

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


def test_the_limit_is_raised_here_and_restored_in_a_child():
    done = subprocess.run([sys.executable, "-c", STORY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["512", "256"]
