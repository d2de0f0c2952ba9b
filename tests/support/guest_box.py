"""A container in the shape that Litterbox gives it, with the real runtime in it, but no daemon and no `enter`."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from litterbox import paths, sessions
from litterbox.container import create, podman, seccomp
from litterbox.container.runtime import bundles
from litterbox.settings.box_settings import Settings

BASE = "localhost/litterbox-test-base"

_LONG_ENOUGH = 20.0  # seconds
_NO_SUCH_PID = 4_000_000  # beyond what the kernel gives out here


@attrs.frozen
class GuestBox:
    """A running container; sessions are made up, one for each entry that asks for one."""

    name: str

    @property
    def container(self) -> str:
        return paths.container_name(self.name)

    @property
    def home(self) -> Path:
        return Path(paths.home(self.name))

    def list_sessions(self, *listed: sessions.Session) -> None:
        """Rewrite the lock in place, as the host does."""
        content = "".join(f"{pid} {start}\n" for pid, start in listed).encode()
        with open(paths.session_lock(self.name), "r+b", buffering=0) as file:
            file.write(content.ljust(sessions.SIZE, b"\0"))

    def entry(self, *words: str, options: tuple[str, ...] = (), session: sessions.Session | None = None) -> list[str]:
        """The command line that enters: `words` are the entrypoint's arguments."""
        chosen = [*options, f"--env=LITTERBOX_SESSION={sessions.label(session)}"] if session else list(options)
        return ["podman", "exec", "--user=0", *chosen, self.container, "/litterbox", "entrypoint", *words]

    def enter(
        self, *words: str, options: tuple[str, ...] = (), session: sessions.Session | None = None, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Enter, run to the end, and return what came of it."""
        command = self.entry(*words, options=("-i", *options), session=session)
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=60)

    def output(self, *words: str) -> str:
        """What the entry printed; it must succeed and say nothing else."""
        done = self.enter(*words)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def as_root(self, *command: str) -> str:
        """Run a command of the image as root of the box, past the entrypoint."""
        return podman.run("exec", "--user=0", self.container, *command)

    def obeys(self) -> bool:
        """Whether PID 1 has come so far as to have a handler for SIGTERM; without one the kernel drops it."""
        status = dict(line.split(":\t") for line in self.as_root("cat", "/proc/1/status").splitlines() if ":\t" in line)
        return bool(int(status["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1)

    def is_running(self) -> bool:
        return podman.run("inspect", "--format={{.State.Running}}", self.container).strip() == "true"

    def wait(self) -> int:
        """Wait for the container to end; return its exit status."""
        return int(podman.run("wait", self.container, within=120))

    def logs(self) -> str:
        done = subprocess.run(["podman", "logs", self.container], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr


def session(number: int = 0) -> sessions.Session:
    """A session that no process of the host has."""
    return _NO_SUCH_PID + number, 1


@contextmanager
def running(name: str, image: str = BASE, *, extra: tuple[str, ...] = ()) -> Iterator[GuestBox]:
    """A started box with one session in its lock; gone afterwards."""
    box = GuestBox(name)
    create.prepare_host_side(name)
    seccomp.place()
    box.list_sessions(session())
    with bundles.lease(print):
        options = create.options(name, Settings(network="none"), podman.version())
        podman.run("create", f"--name={box.container}", *options, *extra, image)
        try:
            create.start(name)
            yield box
        finally:
            podman.run("rm", "--force", "--time=0", box.container)
            podman.run("unshare", "rm", "-rf", paths.home(name))


def eventually(holds: Callable[[], bool], *, within: float = _LONG_ENOUGH) -> bool:
    """Whether it comes to hold in that many seconds."""
    until = time.monotonic() + within
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def build_image(tag: str, containerfile: str, folder: Path, **files: str) -> str:
    """Build an image from a Containerfile and the scripts it copies; returns its name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Containerfile").write_text(containerfile)
    for name, content in files.items():
        (folder / name).write_text(content)
        os.chmod(folder / name, 0o755)
    image = f"localhost/litterbox-guest-{tag}"
    podman.run("build", "--quiet", f"--tag={image}", str(folder), within=podman.STORAGE_TIMEOUT)
    return image
