"""The only place that runs podman. Never through a shell; every failure names the command and Podman's message."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TypedDict

from litterbox import limits
from litterbox.container.program import find
from litterbox.errors import PodmanError

LABEL = "work.litterbox.name"
RUNNING = ("initialized", "running", "paused", "stopping")  # Podman's words for a container whose mounts are in use

_TAIL = 4096  # bytes of Podman's last words that are kept for the error


class Info(TypedDict):
    """What `podman info` says of the host: `version` as numbers, `uids` the size of the user's id mapping."""

    version: tuple[int, ...]
    rootless: bool
    uids: int


def run(*arguments: str) -> str:
    """Run podman quietly and return its standard output; raises PodmanError."""
    done = _call(arguments)
    if done.returncode != 0:
        raise failure(arguments, done.returncode, done.stderr)
    return done.stdout


def exists(kind: str, name: str) -> bool:
    """Say whether a `kind` ("image", "container") of that name is in local storage."""
    arguments = (kind, "exists", name)
    done = _call(arguments)
    if done.returncode > 1 or done.stderr.strip():  # Podman's own failures end with 1 too, as "no" does
        raise failure(arguments, done.returncode, done.stderr)
    return done.returncode == 0


def _call(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find(), *arguments],
        cwd="/",  # ours may be gone, and Podman needs one
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
        preexec_fn=limits.for_children(),
    )


def show(*arguments: str) -> None:
    """Run podman with its output shown as it comes; raises PodmanError, which repeats its last words."""
    with subprocess.Popen(
        [find(), *arguments], cwd="/", stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), stderr=subprocess.PIPE
    ) as child:
        assert child.stderr is not None
        tail = b""
        while chunk := os.read(child.stderr.fileno(), 65536):
            sys.stderr.buffer.write(chunk)
            sys.stderr.buffer.flush()
            tail = (tail + chunk)[-_TAIL:]
    if child.returncode != 0:
        raise failure(arguments, child.returncode, tail.decode(errors="replace"))


def failure(arguments: Sequence[str], status: int, message: str) -> PodmanError:
    """The error for a podman that ended with `status` and said `message`."""
    last_words = [line for line in message.strip().splitlines() if line.strip()]
    said = last_words[-1] if last_words else "It said nothing."
    return PodmanError(f"`podman {' '.join(arguments)}` failed with status {status}.", said)


def info() -> Info:
    """Ask Podman about the host (about 0.1 s)."""
    answer = json.loads(run("info", "--format", "json"))
    mapping = answer["host"].get("idMappings") or {}
    return Info(
        version=version_numbers(answer["version"]["Version"]),
        rootless=bool(answer["host"]["security"]["rootless"]),
        uids=sum(int(entry["size"]) for entry in mapping.get("uidmap") or []),
    )


def version() -> tuple[int, ...]:
    """Podman's version, without asking for anything else (a few milliseconds)."""
    return version_numbers(run("--version").split()[-1])


def version_numbers(text: str) -> tuple[int, ...]:
    """`5.4.2-dev` → (5, 4, 2)."""
    numbers = []
    for part in text.partition("-")[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)


def containers() -> dict[str, str]:
    """Every box that has a container: its name → Podman's word for its state ("running", "exited", "created")."""
    rows = json.loads(run("ps", "--all", "--filter", f"label={LABEL}", "--format", "json"))
    # The label comes from the image, so any container of it has the label; only one has the name.
    return {row["Labels"][LABEL]: row["State"] for row in rows if row["Names"] == [f"lbx-{row['Labels'][LABEL]}"]}
