"""A user of Litterbox: runs the installed command in an environment of their own, and cleans up behind it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import contextmanager

import attrs

BASE_IMAGE = "localhost/litterbox-test-base:latest"
PASSWORD = "correct horse battery staple"
LONG_ENOUGH = 60.0  # seconds; everything here takes a few at most
# Seconds between two looks. A look can start programs, which take processor time from what is awaited.
POLL_INTERVAL = 0.1


def wait_until(condition: Callable[[], object], *, what: str, within: float = LONG_ENOUGH) -> None:
    """Return when `condition` holds; fail after `within` seconds, saying `what` did not come."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"waited {within:g} s in vain: {what}"
        time.sleep(POLL_INTERVAL)


@attrs.frozen
class User:
    """`root` is their ~/Litterbox; `environment` what their programs see; `runtime` one that was built before."""

    root: str
    environment: dict[str, str]
    runtime: str | None = None

    def litterbox(self, *words: str, status: int | None = 0, stdin: str = "", **environment: str):
        """Run a litterbox command; check its exit status unless `status` is None."""
        done = subprocess.run(
            ["litterbox", *words],
            input=stdin,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if status is not None:
            assert done.returncode == status, f"litterbox {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    @contextmanager
    def start(self, *words: str, **options):
        """Start a litterbox command, killed at the end of the block if it still runs."""
        environment = self.environment | options.pop("environment", {})
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        with subprocess.Popen(["litterbox", *words], env=environment, text=True, **options) as child:
            try:
                yield child
            finally:
                if child.poll() is None:
                    child.kill()

    @contextmanager
    def session(self, name: str):
        """Hold a session open in the box for the length of the block; yields its process."""
        with self.start("enter", name, "--", "sh", "-c", "echo in; exec cat", stdin=subprocess.PIPE) as session:
            line = session.stdout.readline()
            assert line == "in\n", session.stderr.read()
            yield session
            if session.poll() is None:
                session.stdin.close()
                session.wait(LONG_ENOUGH)

    def status(self, name: str) -> dict:
        [row] = json.loads(self.litterbox("status", name, "--json").stdout)
        return row

    def daemon(self, name: str) -> int | None:
        """The PID of the box's daemon, None where none serves."""
        return self.status(name)["daemon"]

    def sessions_in_lock(self, name: str) -> list[int]:
        with open(f"{self.root}/.session-{name}.lock") as file:
            return [int(line.split()[0]) for line in file.read().rstrip("\0").splitlines()]

    def container_state(self, name: str) -> str:
        done = podman("container", "inspect", "--format", "{{.State.Status}}", f"lbx-{name}", check=False)
        return done.stdout.strip()

    def is_over(self, name: str) -> bool:
        """Say whether the box has ended: lock empty, container stopped, daemon gone; cheap questions first."""
        return (
            not self.sessions_in_lock(name)
            and self.container_state(name) in ("exited", "created")
            and self.daemon(name) is None
        )

    def wait_until_over(self, name: str) -> None:
        wait_until(lambda: self.is_over(name), what=f"the end of the box {name}")

    def define(self, name: str, template: str, *words: str) -> None:
        """Define a box, which will have the runtime that was built before."""
        self.litterbox("define", name, "--template", template, *words)
        if self.runtime and not os.path.exists(f"{self.root}/runtime"):
            os.symlink(self.runtime, f"{self.root}/runtime")

    def define_and_build(self, name: str, dockerfile: str | None = None) -> None:
        """A box on the test host's base image, or with a Dockerfile of the test's own."""
        self.define(name, "local", "--image", BASE_IMAGE)
        if dockerfile is not None:
            with open(f"{self.root}/definitions/{name}/Dockerfile", "w") as file:
                file.write(dockerfile)
        self.litterbox("build", name)


def podman(*words: str, check: bool = True):
    return subprocess.run(["podman", *words], capture_output=True, text=True, check=check, timeout=120)


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def kill(pid: int) -> None:
    """SIGKILL, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not alive(pid), what=f"the end of process {pid}")
