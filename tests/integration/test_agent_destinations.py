"""Keys that ssh-add limits to destinations, with real hosts: what OpenSSH's agent allows and refuses, ours does too."""

import os
import shlex
import subprocess
import sys

import pytest
from support.sshd import USER, network

AGENTS = {
    "litterbox": [sys.executable, "-m", "litterbox", "agent", "--socket", "agent.sock", "--approve", "all", "--"],
    "openssh": ["ssh-agent"],
}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """Hosts a, b and c; x.ca and y.ca, whose keys an authority certifies; and a key that may log in everywhere."""
    folder = tmp_path_factory.mktemp("network")
    with network(folder, ["a", "b", "c", "x.ca", "y.ca"], certified=["x.ca", "y.ca"]) as made:
        for name in ("key", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
            made.authorize((folder / f"{name}.pub").read_text())
        yield made


def run(agent: str, hosts, limits: list[str], command: str) -> subprocess.CompletedProcess[str]:
    """Add the key with these limits to a new agent, then run `command` (of a shell, in which `ssh` knows the hosts)."""
    limited = " ".join(f"-h {shlex.quote(limit)}" for limit in limits)
    script = (
        f'ssh() {{ command ssh -F {hosts.config} "$@"; }}\n'
        f"ssh-add -q -H {hosts.known_hosts} {limited} {hosts.folder}/key || exit 99\n{command}"
    )
    environment = {**os.environ, "LITTERBOX_ROOT": str(hosts.folder / "Litterbox"), "LC_ALL": "C"}
    return subprocess.run(
        [*AGENTS[agent], "bash", "-c", script],
        cwd=hosts.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def to(*path: str, ending: str = "echo in") -> str:
    """Log in along a path of hosts, the agent forwarded from each to the next."""
    command = ending
    for host in reversed(path):
        command = f"ssh -A {host} {shlex.quote(command)}"
    return command


def far(hosts, command: str) -> str:
    """A command for a far host's shell, in which `ssh` knows the hosts too."""
    return command.replace("ssh -A", f"ssh -F {hosts.config} -A")


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(
    ("limits", "path", "allowed"),
    [
        ([], ["a"], True),
        ([], ["a", "b", "c"], True),
        (["a"], ["a"], True),
        (["a"], ["b"], False),
        (["a"], ["a", "b"], False),
        (["a", "a>b"], ["a"], True),
        (["a", "a>b"], ["a", "b"], True),
        (["a", "a>b"], ["a", "c"], False),
        (["a", "a>b"], ["b"], False),
        (["a", "b", "a>b"], ["b"], True),
        (["a", "b", "a>b"], ["b", "a"], False),
        (["a", "a>b", "b>c"], ["a", "b", "c"], True),
        (["a", "a>b", "a>c"], ["a", "b", "c"], False),
        ([f"{USER}@a"], ["a"], True),
        (["somebody@a"], ["a"], False),
        ([f"{USER[0]}*@a"], ["a"], True),
        (["a", f"a>{USER}@b"], ["a", "b"], True),
        (["a", "a>somebody@b"], ["a", "b"], False),
        (["x.ca"], ["x.ca"], True),
        (["x.ca"], ["y.ca"], False),
        (["x.ca", "x.ca>y.ca"], ["x.ca", "y.ca"], True),
        (["x.ca", "x.ca>a"], ["x.ca", "a"], True),
        (["x.ca", "x.ca>a"], ["x.ca", "y.ca"], False),
    ],
)
def test_paths(hosts, agent, limits, path, allowed):
    first, *rest = path
    inner = far(hosts, to(*rest)) if rest else "echo in"
    done = run(agent, hosts, limits, f"ssh -A {first} {shlex.quote(inner)}")
    assert done.returncode != 99, done.stderr
    assert (done.stdout == "in\n") is allowed, done.stderr


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(
    ("limits", "command", "seen"),
    [
        (["a"], "ssh-add -l", True),
        (["a"], "ssh -A a ssh-add -l", False),
        (["a", "a>b"], "ssh -A a ssh-add -l", True),
        (["a", "a>b"], "ssh -A b ssh-add -l", False),
        ([], "ssh -A a ssh-add -l", True),
    ],
)
def test_a_key_is_seen_where_it_can_be_used(hosts, agent, limits, command, seen):
    # A second key, for the way to where the first one may not be used.
    done = run(agent, hosts, limits, f"ssh-add -q {hosts.folder}/other; {command}")
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-f", hosts.folder / "key.pub"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert (fingerprint in done.stdout) is seen, done.stderr


@pytest.mark.parametrize("agent", AGENTS)
def test_a_key_that_is_not_seen_is_not_removed_but_with_all(hosts, agent):
    script = "ssh -A a 'ssh-add -d key.pub'; ssh-add -l; ssh -A a ssh-add -D; ssh-add -l"
    script = script.replace("key.pub", f"{hosts.folder}/key.pub")
    done = run(agent, hosts, ["a"], script)
    lines = done.stdout.splitlines()
    assert "(ED25519)" in lines[0]
    assert lines[-1] == "The agent has no identities."


@pytest.mark.parametrize("agent", AGENTS)
def test_a_limited_key_signs_nothing_but_logins(hosts, agent):
    done = run(agent, hosts, ["a"], f"ssh-add -T {hosts.folder}/key.pub")
    assert done.returncode != 0
