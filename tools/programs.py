"""Running the programs that are measured, and reading what the machine says of them."""

import os
import platform
import re
import shutil
import subprocess
import sys


def say(words: str) -> None:
    print(f"bench: {words}", file=sys.stderr)


def run(*command: str) -> None:
    """Run a command to its end; where it fails, so does the measuring."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed with status {done.returncode}: {done.stderr}")


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def this_machine() -> str:
    kernel = platform.release().split("-")[0]
    words = [f"{os.cpu_count()} cores", f"Linux {kernel}", f"Python {platform.python_version()}"]
    words.append(f"OpenSSH {openssh_version()}")
    if shutil.which("podman"):
        words.append(output("podman", "--version").strip())
    return ", ".join(words)


def openssh_version() -> str:
    """That of the installed one: "9.2"."""
    words = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr
    found = re.match(r"OpenSSH_([0-9.]+)", words)
    return found[1] if found else words.strip()


def anonymous_memory(pid: int) -> float:
    """RssAnon of a process, in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        [kilobytes] = [int(line.split()[1]) for line in file if line.startswith("RssAnon:")]
    return kilobytes / 1024
