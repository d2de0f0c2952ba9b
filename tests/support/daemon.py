"""The daemon of the box "work" in a process of its own, all parts of it, without a container; and what it takes.

Run as a script, it is that process: it serves until its standard input ends, and answers each line of that with a line
of figures. It is started as `litterbox enter` starts a daemon.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import attrs
import trio

from litterbox import files, limits, memory, paths
from litterbox.container import create
from litterbox.daemon.process import LISTENERS_OF_THE_BOX, _configure_log
from litterbox.daemon.serve import serve
from litterbox.sessions import SessionLock
from support.stalls import Stalls

LONG_ENOUGH = 60.0  # seconds


@attrs.frozen
class Figures:
    """`stall` is the longest step of a task since the last figures, in seconds; `memory` is RssAnon, in MiB."""

    stall: float
    task: str
    memory: float
    descriptors: int


@attrs.frozen
class Daemon:
    process: subprocess.Popen

    def figures(self) -> Figures:
        self.process.stdin.write("figures\n")
        self.process.stdin.flush()
        return Figures(**json.loads(self.process.stdout.readline()))

    @property
    def log(self) -> str:
        with open(paths.daemon_log("work")) as file:
            return file.read()


@contextmanager
def running_daemon(*, open_files: int | None = None) -> Iterator[Daemon]:
    """The daemon, with a hard limit of `open_files`, its files where LITTERBOX_ROOT and XDG_RUNTIME_DIR say."""
    create.prepare_host_side("work")
    files.private_folder(paths.logs())
    os.makedirs(os.path.join(paths.home("work"), ".ssh"), exist_ok=True)
    command = [sys.executable, __file__, *([str(open_files)] if open_files else [])]
    environment = {**os.environ, **memory.ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield Daemon(process)
        finally:
            process.stdin.close()
            try:
                process.wait(LONG_ENOUGH)
            finally:
                process.kill()


def _figures(stalls: Stalls) -> str:
    with open("/proc/self/status") as status:
        [anonymous] = [line.split()[1] for line in status if line.startswith("RssAnon")]
    figures = {
        "stall": stalls.longest,
        "task": stalls.task,
        "memory": int(anonymous) / 1024,
        "descriptors": len(os.listdir("/proc/self/fd")),
    }
    stalls.reset()
    return json.dumps(figures)


async def _main(most: int, stalls: Stalls, sessions: SessionLock) -> None:
    async def answer() -> None:
        print("ready", flush=True)
        stalls.reset()  # what came before is the start
        while await trio.to_thread.run_sync(sys.stdin.readline):
            print(_figures(stalls), flush=True)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        ready = partial(nursery.start_soon, answer)
        await serve("work", sessions=sessions, vault_key=None, for_session=False, most_connections=most, ready=ready)


if __name__ == "__main__":
    if sys.argv[1:]:
        hard = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
    _configure_log("work", foreground=False)
    memory.prepare()
    _most = limits.connections(LISTENERS_OF_THE_BOX)
    _stalls = Stalls()
    with SessionLock(paths.session_lock("work")) as _sessions:
        trio.run(_main, _most, _stalls, _sessions, instruments=[_stalls])
