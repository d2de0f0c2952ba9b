"""A process whose memory is private: nobody reads it, and it goes on as before."""

import subprocess
import sys

SCRIPT = """
import os, sys
from litterbox.private_memory import keep_memory_private
keep_memory_private()
read, write = os.pipe()
assert os.listdir("/proc/self/fd")
assert os.stat(f"/proc/self/fd/{read}")
folder = os.open("/", os.O_PATH)
child = [sys.executable, "-c", "import os; print(os.getcwd(), os.stat('/proc/self/environ').st_uid == os.getuid())"]
import subprocess
print(subprocess.run(child, cwd=f"/proc/self/fd/{folder}", capture_output=True, text=True, check=True).stdout, end="")
import ctypes
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)
sys.stdin.read()
"""


def test_it_is_not_dumpable_can_use_its_own_files_and_its_children_are_as_others():
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "/ True\n"
        assert process.stdout.readline() == "0\n"
        with open(f"/proc/{process.pid}/status") as status, open(f"/proc/{process.pid}/cmdline") as command:
            assert "RssAnon" in status.read()
            assert sys.executable in command.read()
        process.stdin.close()
        assert process.wait() == 0
