"""Which boxes run: what Podman says, checked against their processes.

conmon tells Podman that a container has ended. When conmon was killed, by the kernel's OOM killer for one, nobody does,
and Podman calls the container running for ever. `podman stop` then fails, but corrects Podman's records.
"""

import json
import os
import signal
import sys

import attrs

from litterbox import paths
from litterbox.container import podman
from litterbox.errors import PodmanError


@attrs.frozen
class Seen:
    """A box's container: whether Podman calls it running, and its living processes, PID 1 and conmon.

    One that is made ready, with a PID 1 that has not begun, is called running, and not `started`.
    """

    called_running: bool
    started: bool
    main: int | None
    conmon: int | None

    @property
    def is_phantom(self) -> bool:
        return self.called_running and self.main is None and self.conmon is None


def states() -> dict[str, str]:
    """Every box that has a container: its name → Podman's word for its state ("running", "exited", "created").

    A box that Podman calls running without reason is corrected, and said on standard error.
    """
    found = {}
    rows = json.loads(podman.run("ps", "--all", "--filter", f"label={podman.LABEL}", "--format", "json"))
    for row in rows:
        name = row["Labels"][podman.LABEL]
        if row["Names"] != [f"lbx-{name}"]:  # the label comes from the image, so any container of it has the label
            continue
        found[name] = row["State"]
        if row["State"] in podman.RUNNING and not is_main(row.get("Pid") or 0, name) and correct(name):
            found[name] = "exited"
            print(f"litterbox: {said_of_phantom(name)}", file=sys.stderr)
    return found


def is_running(name: str) -> bool:
    return states().get(name) in podman.RUNNING


def look(name: str) -> Seen:
    """See how the box's container is. Raises PodmanError where it has none."""
    state = json.loads(podman.run("container", "inspect", "--format", "{{json .State}}", paths.container_name(name)))
    main, conmon = state.get("Pid") or 0, state.get("ConmonPid") or 0
    return Seen(
        called_running=state["Status"] in podman.RUNNING,
        started=state["Status"] in podman.RUNNING and state["Status"] != "initialized",
        main=main if is_main(main, name) else None,
        conmon=conmon if _is_conmon(conmon, name) else None,
    )


def correct(name: str) -> bool:
    """Tell Podman that the box has ended, where it calls a phantom running; says whether that was so."""
    if not look(name).is_phantom:
        return False
    try:
        podman.run("stop", "--time=0", paths.container_name(name))
    except PodmanError:  # `podman stop` reports the missing conmon, and has corrected its records
        if look(name).called_running:
            raise
    return True


def said_of_phantom(name: str) -> str:
    return f"Podman still called the box {name} running, though its processes are gone: that is corrected"


def kill(name: str, main: int) -> None:
    """End PID 1 of the box, and so the box, without Podman; nothing to do where it has gone."""
    try:
        process = os.pidfd_open(main)
    except ProcessLookupError:
        return
    try:
        if is_main(main, name):
            signal.pidfd_send_signal(process, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(process)


def is_main(pid: int, name: str) -> bool:
    """Whether that process lives in the box: its mounts show the box's session lock, which no other process has."""
    try:
        with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.split(" ") for line in file]
    except OSError:  # it has ended, or is a zombie
        return False
    lock = os.path.basename(paths.session_lock(name))
    # 36 35 98:0 /home/me/Litterbox/.session-work.lock /session.lock ro,… (proc_pid_mountinfo(5))
    return any(
        row[4] == "/session.lock" and os.path.basename(row[3].removesuffix("//deleted")) == lock
        for row in rows
        if len(row) > 4
    )


def _is_conmon(pid: int, name: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = os.fsdecode(file.read()).split("\0")
    except OSError:
        return False
    return os.path.basename(words[0]) == "conmon" and paths.container_name(name) in words
