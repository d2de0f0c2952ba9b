"""Starting a daemon: it gets its secret whatever is closed, and says why it cannot start, however soon it fails."""

import os
import subprocess
import sys

import pytest

from litterbox import paths
from litterbox.daemon import start
from litterbox.errors import DaemonError


def test_the_reason_of_one_that_cannot_begin_is_told_each_time(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    before = os.listdir("/proc/self/fd")
    for _ in range(30):
        with pytest.raises(DaemonError, match="cannot be started: No such file or directory: /nonexistent/python"):
            start.spawn("work", b"k" * 32, for_session=False)
    assert os.listdir("/proc/self/fd") == before


STAND_IN = """#!/bin/sh
[ "$(head -c 4)" = none ] && exec echo ready >&3
"""


@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "<&- >&- 2>&-"])
def test_it_gets_its_secret_whatever_is_closed(tmp_path, closed):
    """The stand-in says that it serves when it has read that there is no key."""
    program = tmp_path / "python"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    code = (
        "import os, sys; from litterbox.daemon import start; sys.executable = sys.argv[1]; "
        "start.spawn('work', None, for_session=False); os._exit(7)"
    )
    words = ["/bin/sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-c", code, program]
    assert subprocess.run(words, check=False).returncode == 7
    with open(paths.daemon_log("work")) as log:
        assert log.read() == ""
