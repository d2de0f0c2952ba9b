"""A home with a key store, and `litterbox keys` run in it: without a terminal, and on one."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect

PASSWORD = "correct horse"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def new_home(folder: Path) -> Path:
    """An empty Litterbox root in which a box called "box" is defined."""
    root = folder / "Litterbox"
    (root / "definitions").mkdir(parents=True)
    (root / "definitions" / "box").mkdir()
    (root / "definitions" / "box" / "Dockerfile").touch()
    return root


def environment_of(home: Path) -> dict[str, str]:
    runtime = home.parent / "run"
    runtime.mkdir(mode=0o700)
    ours = {"LITTERBOX_ROOT": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    return {key: value for key, value in os.environ.items() if not key.startswith("LITTERBOX_")} | ours


def runner(environment: dict[str, str]) -> Run:
    """Run `litterbox keys …` without a terminal; `password` comes from a command."""

    def run(
        *arguments: str, password: str | None = PASSWORD, text: str = "", **more: str
    ) -> "subprocess.CompletedProcess[str]":
        command = {} if password is None else {"LITTERBOX_PASSWORD_COMMAND": f"echo '{password}'"}
        return subprocess.run(
            [sys.executable, "-m", "litterbox", "keys", *arguments],
            env=environment | command | more,
            input=text,
            capture_output=True,
            text=True,
            start_new_session=True,  # so that there is no /dev/tty
            check=False,
        )

    return run


@contextmanager
def terminals(environment: dict[str, str]) -> Iterator[Callable[..., pexpect.spawn]]:
    """Start `litterbox keys …`, each on a terminal of its own; they end with the block."""
    children: list[pexpect.spawn] = []

    def start(*arguments: str) -> pexpect.spawn:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "litterbox", "keys", *arguments],
            env=environment,
            encoding="utf-8",
            timeout=30,
            dimensions=(24, 120),
        )
        children.append(child)
        return child

    try:
        yield start
    finally:
        for child in children:
            child.close(force=True)


def answer(child: pexpect.spawn, prompt: str, text: str) -> None:
    child.expect_exact(prompt)
    child.waitnoecho()
    child.sendline(text)


def rest_of(child: pexpect.spawn) -> str:
    child.expect(pexpect.EOF)
    child.wait()
    return child.before
