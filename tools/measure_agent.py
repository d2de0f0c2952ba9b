"""The rows of `litterbox agent`: its signatures beside those of OpenSSH's ssh-agent, in turn, with the same keys."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh
import attrs
from programs import anonymous_memory, openssh_version, run, say
from rows import Row, at_least, told

ROUNDS = 9  # of each agent, alternating, after one to warm up
MANY = 100  # clients at once
MEMORY_ROUNDS, MEMORY_REQUESTS = 10, 10_000

OLD = "9.2"  # Debian 12's, whose Ed25519 is slower
ED25519_BUDGET = {OLD: 4.0}
NEWEST_BUDGET = 2.0
RSA_BUDGET = 0.9

THEIRS, ADDED, SEALED = "theirs", "added", "sealed"
LITTERBOX = (sys.executable, "-m", "litterbox")
CLIENT = (sys.executable, os.path.join(os.path.dirname(__file__), "agent_client.py"))


@attrs.frozen
class Kind:
    """A type of key, and how many requests make a round of about a second at ssh-agent's pace."""

    name: str
    options: tuple[str, ...]
    requests: int

    @property
    def file(self) -> str:
        return self.options[1]


ED25519 = Kind("Ed25519", ("-t", "ed25519"), 2000)
RSA = Kind("RSA-3072", ("-t", "rsa", "-b", "3072"), 400)
KINDS = (ED25519, RSA)


@attrs.frozen
class Round:
    """What one client process measured: signatures per second, and the latency in seconds that one in 100 exceeds."""

    rate: float
    p99: float


def measure_agent() -> list[Row]:
    version = openssh_version()
    with desk() as folder, three_agents(folder):
        rows = [rows_of(version, *measure(folder, kind, clients)) for kind in KINDS for clients in (1, MANY)]
    return [row for pair in rows for row in pair]


def measure_memory() -> list[Row]:
    say(f"having {MEMORY_ROUNDS * MEMORY_REQUESTS:,} logins signed")
    figures = []
    with desk() as folder, contextlib.ExitStack() as stack:
        processes = {ADDED: stack.enter_context(ours(folder)), THEIRS: stack.enter_context(openssh(folder))}
        for name, process in processes.items():
            sign(folder, name, ED25519, clients=10, requests=100)
            before = anonymous_memory(process.pid)
            for _ in range(MEMORY_ROUNDS):
                sign(folder, name, ED25519, clients=10, requests=MEMORY_REQUESTS)
            figures += [before, anonymous_memory(process.pid)]
    details = "{0:.1f} after 100; ssh-agent: {3:.1f} after {2:.1f}".format(*figures)
    return [
        told(
            f"`litterbox agent`: RssAnon in MiB after {MEMORY_ROUNDS * MEMORY_REQUESTS:,} signatures",
            f"{figures[1]:.1f}",
            details,
        )
    ]


def measure(folder: str, kind: Kind, clients: int) -> tuple[Kind, int, dict[str, list[Round]]]:
    say(f"having logins signed with {kind.name} by three agents in turn, {clients} at a time, {ROUNDS} rounds")
    rounds = {THEIRS: [], ADDED: [], SEALED: []}
    for number in range(ROUNDS + 1):
        for name, measured in rounds.items():
            figures = sign(folder, name, kind, clients=clients, requests=kind.requests)
            if number:
                measured.append(figures)
    return kind, clients, rounds


def rows_of(version: str, kind: Kind, clients: int, rounds: dict[str, list[Round]]) -> list[Row]:
    at_once = "one client" if clients == 1 else f"{clients} clients"
    what = f"{kind.name} signatures per second ÷ those of OpenSSH {version}'s `ssh-agent`, {at_once}"
    budget = ED25519_BUDGET.get(version, NEWEST_BUDGET) if kind is ED25519 else RSA_BUDGET
    return [
        at_least(what, budget, ratio(rounds, ADDED), in_words(rounds, ADDED)),
        told(f"{what}, key of the store", f"{ratio(rounds, SEALED):.2f}", in_words(rounds, SEALED)),
    ]


def ratio(rounds: dict[str, list[Round]], name: str) -> float:
    """The median of the rounds' ratios: what slows the machine down for a while slows both."""
    return statistics.median(mine.rate / other.rate for mine, other in zip(rounds[name], rounds[THEIRS], strict=True))


def in_words(rounds: dict[str, list[Round]], name: str) -> str:
    rates = [statistics.median(figures.rate for figures in rounds[agent]) for agent in (name, THEIRS)]
    slowest = [statistics.median(figures.p99 for figures in rounds[agent]) * 1000 for agent in (name, THEIRS)]
    return "{:,.0f} against {:,.0f}; p99 {:.2f} ms against {:.2f} ms".format(*rates, *slowest)


def sign(folder: str, name: str, kind: Kind, *, clients: int, requests: int) -> Round:
    """One client process; a sample of what it was given is verified."""
    public = os.path.join(folder, f"{kind.file}.pub")
    words = [os.path.join(folder, f"{name}.sock"), public, f"--requests={requests}", f"--clients={clients}"]
    done = subprocess.run([*CLIENT, *words], stdout=subprocess.PIPE, check=True)
    figures = json.loads(done.stdout)
    key = asyncssh.read_public_key(public)
    for data, signature in figures["signed"]:
        assert key.verify(bytes.fromhex(data), bytes.fromhex(signature)), f"{name} signed wrongly with {kind.name}"
    return Round(figures["rate"], figures["p99"])


@contextmanager
def desk() -> Iterator[str]:
    """A folder with a key of each kind as files, and the same ones in the store of a Litterbox."""
    with tempfile.TemporaryDirectory() as folder:
        before = dict(os.environ)
        os.environ.update(
            LITTERBOX_ROOT=os.path.join(folder, "Litterbox"), LITTERBOX_PASSWORD_COMMAND="echo for-a-minute"
        )
        try:
            for kind in KINDS:
                file = os.path.join(folder, kind.file)
                run("ssh-keygen", "-q", *kind.options, "-N", "", "-C", kind.name, "-f", file)
                run(*LITTERBOX, "keys", "import", kind.name, file)
            yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def three_agents(folder: str) -> Iterator[None]:
    with openssh(folder), ours(folder), ours(folder, sealed=True):
        yield


@contextmanager
def openssh(folder: str) -> Iterator[subprocess.Popen]:
    """OpenSSH's agent, with the keys added."""
    with serving(["ssh-agent", "-D", "-a", os.path.join(folder, f"{THEIRS}.sock")]) as agent:
        add_keys(folder, THEIRS)
        yield agent


@contextmanager
def ours(folder: str, *, sealed: bool = False) -> Iterator[subprocess.Popen]:
    """Our agent, with the keys added, or `sealed`: from the store, decrypted anew for each signature."""
    name = SEALED if sealed else ADDED
    keys = [f"--key={kind.name}" for kind in KINDS] if sealed else []
    with serving(
        [*LITTERBOX, "agent", "--socket", os.path.join(folder, f"{name}.sock"), "--approve", "all", *keys]
    ) as agent:
        if not sealed:
            add_keys(folder, name)
        yield agent


@contextmanager
def serving(command: list[str]) -> Iterator[subprocess.Popen]:
    """An agent in the foreground that has said where it serves; its log is shown where it has not."""
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as agent,
    ):
        try:
            if not agent.stdout.readline().startswith(b"SSH_AUTH_SOCK="):
                log.seek(0)
                sys.exit(f"bench: {' '.join(command)} does not serve: {log.read()}")
            yield agent
        finally:
            agent.terminate()


def add_keys(folder: str, name: str) -> None:
    files = [os.path.join(folder, kind.file) for kind in KINDS]
    run("env", f"SSH_AUTH_SOCK={os.path.join(folder, name)}.sock", "ssh-add", "-q", *files)
