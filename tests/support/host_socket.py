"""A host socket in a process of its own, with the real host commands behind it, and the guest's commands to use it.

Run as a script, it is that process: it serves the box "work" until its standard input ends.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import trio

from litterbox import limits, paths
from litterbox.audit import AuditLog
from litterbox.capabilities.host_exec.commands import open_host_commands
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.requests import Requests
from litterbox.capabilities.server import GuestDaemons, serve_capabilities
from litterbox.confirm.question import Answer
from litterbox.daemon.sockets import open_unix_listener
from litterbox_guest import wire

# While Python starts, its own handler may lose a SIGINT: a KeyboardInterrupt in a destructor is only printed. Here the
# imports take long enough for that, so the kernel keeps the signal until they can no longer get in its way.
HOLDING_SIGINT = ("env", "--block-signal=INT")
GUEST = """
import _signal
_signal.signal(_signal.SIGINT, _signal.SIG_DFL)
_signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGINT])
import sys
from litterbox_guest.main import main
sys.exit(main(sys.argv[1:]))
"""
LONG_ENOUGH = 60.0  # seconds


class Client(socket.socket):
    """A box that speaks for itself."""

    def __init__(self, path):
        super().__init__(socket.AF_UNIX)
        self.settimeout(20)
        self.connect(path)
        self.frames = wire.FrameReader()

    def ask(self, message, data=None):
        self.sendall(wire.encode(message, data))
        return self.receive()

    def receive(self):
        while (frame := self.frames.next_frame()) is None:
            data = self.recv(65536)
            if not data:
                return None
            self.frames.receive_data(data)
        return frame


@attrs.frozen
class HostSocket:
    """`environment` is that of a process in the box; `process` is the host's."""

    environment: dict[str, str]
    process: subprocess.Popen

    @property
    def path(self) -> str:
        return paths.host_socket("work")

    def command(self, *words: str, called: str = "host-exec") -> list[str]:
        return [*HOLDING_SIGINT, sys.executable, "-c", GUEST, called, *words]

    def start(self, *words: str, called: str = "host-exec", **options) -> subprocess.Popen:
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        environment = self.environment | options.pop("environment", {})
        return subprocess.Popen(self.command(*words, called=called), env=environment, **options)

    def run(self, *words: str, data: bytes = b"", **options) -> subprocess.CompletedProcess:
        """Run it to its end."""
        with self.start(*words, stdin=subprocess.PIPE, **options) as process:
            out, err = process.communicate(data, timeout=LONG_ENOUGH)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@contextmanager
def serving(folder: str, settings: str) -> Iterator[HostSocket]:
    """Serve the box "work" with these settings, its files in `folder`, which LITTERBOX_ROOT names already."""
    os.makedirs(paths.definitions(), exist_ok=True)
    os.makedirs(paths.home("work"), exist_ok=True)
    with open(paths.settings("work"), "w") as file:
        file.write(settings)
    runtime = os.path.join(folder, "in-the-box")
    os.mkdir(runtime, 0o700)
    os.symlink(paths.sockets("work"), os.path.join(runtime, "litterbox"))
    environment = {**os.environ, "XDG_RUNTIME_DIR": runtime, "LITTERBOX_NAME": "work"}
    command = [sys.executable, "-W", "error", __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout.readline() == b"ready\n"
            yield HostSocket(environment, process)
        finally:
            process.stdin.close()
            process.wait(LONG_ENOUGH)


async def _main() -> None:
    async def ask(_question: object) -> Answer:
        return Answer.DECLINED

    limits.raise_open_files(16384)
    with AuditLog("work") as audit:
        policy = Policy(box="work", ask=ask, audit=audit)
        async with (
            open_unix_listener(paths.host_socket("work")) as listener,
            open_host_commands(policy, lambda: os.environ) as commands,
            trio.open_nursery() as nursery,
        ):
            requests = Requests(policy=policy, notifications=None, links=None, clipboard=None, host_commands=commands)
            await nursery.start(serve_capabilities, listener, requests, GuestDaemons())
            print("ready", flush=True)
            await trio.to_thread.run_sync(sys.stdin.buffer.read)
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(_main)
