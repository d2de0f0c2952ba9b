"""ssh-add with every option, against `litterbox agent` and against ssh-agent: the same words and the same statuses."""

import os
import subprocess
import sys

import pytest

AGENTS = {
    "litterbox": [sys.executable, "-m", "litterbox", "agent", "--socket", "agent.sock", "--approve", "all", "--"],
    "openssh": ["ssh-agent"],
}
KEYS = {
    "ed25519": ["-t", "ed25519"],
    "ecdsa256": ["-t", "ecdsa", "-b", "256"],
    "ecdsa384": ["-t", "ecdsa", "-b", "384"],
    "ecdsa521": ["-t", "ecdsa", "-b", "521"],
    "rsa2048": ["-t", "rsa", "-b", "2048"],
    "rsa3072": ["-t", "rsa", "-b", "3072"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Keys of each type, one of them certified, and a passphrase to be read by ssh-add."""
    path = tmp_path_factory.mktemp("keys")
    for name, options in KEYS.items():
        subprocess.run(["ssh-keygen", "-q", *options, "-N", "", "-C", f"my {name}", "-f", path / name], check=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path / "authority"], check=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-s", path / "authority", "-I", "id", "-n", "me", path / "ed25519.pub"], check=True
    )
    (path / "ask").write_text('#!/bin/sh\ncat "$PASSPHRASE_FILE"\n')
    (path / "ask").chmod(0o700)
    (path / "right").write_text("correct horse\n")
    (path / "wrong").write_text("battery staple\n")
    public = (path / "authority.pub").read_text().split()[:2]
    (path / "known_hosts").write_text(f"origin.example.org {' '.join(public)}\n")
    return path


def outcome(agent: str, folder, script: str) -> str:
    """What the commands print, each with its status, when they run with that agent."""
    told = "".join(f"echo '$ {line}'; {line} 2>&1; echo \"-> $?\"\n" for line in script.strip().splitlines())
    environment = {
        **os.environ,
        "LITTERBOX_ROOT": str(folder / "Litterbox"),
        "LC_ALL": "C",
        "SSH_ASKPASS": str(folder / "ask"),
        "SSH_ASKPASS_REQUIRE": "force",
    }
    done = subprocess.run(
        [*AGENTS[agent], "sh", "-c", told],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


ADD_ALL = "\n".join(f"ssh-add {name}" for name in KEYS)
SCRIPTS = {
    "an empty agent": "ssh-add -l\nssh-add -L\nssh-add -D\nssh-add -d ed25519",
    "adding and listing each type": f"{ADD_ALL}\nssh-add -l\nssh-add -L\nssh-add -l -E md5",
    "quietly": "ssh-add -q ed25519\nssh-add -l",
    "testing each type": f"{ADD_ALL}\n" + "\n".join(f"ssh-add -T {name}.pub" for name in KEYS),
    "testing what is not there": "ssh-add -T ed25519.pub",
    "adding again with another comment": (
        "ssh-add ed25519\ncp ed25519 again\nssh-keygen -q -c -C other -f again\nssh-add again\nssh-add -l"
    ),
    "a certificate beside its key": "ssh-add ed25519\nssh-add -L\nssh-add -d ed25519-cert.pub\nssh-add -l",
    "removing one": (
        "ssh-add ed25519 rsa2048\nssh-add -d ed25519\nssh-add -l\nssh-add -d ed25519\nssh-add -d rsa2048.pub"
    ),
    "removing all": "ssh-add ed25519 rsa2048\nssh-add -D\nssh-add -l",
    "for a second": "ssh-add -t 1 ed25519\nssh-add -t 1000 rsa2048\nsleep 1.5\nssh-add -l",
    "locking": (
        "ssh-add ed25519\nPASSPHRASE_FILE=right ssh-add -x\nssh-add -l\nssh-add rsa2048\nssh-add -d ed25519\n"
        "ssh-add -D\nssh-add -T ed25519.pub\n"
        "PASSPHRASE_FILE=right ssh-add -x\nPASSPHRASE_FILE=wrong ssh-add -X\nssh-add -l\n"
        "PASSPHRASE_FILE=right ssh-add -X\nssh-add -l\nPASSPHRASE_FILE=right ssh-add -X"
    ),
    "for a destination": (
        "ssh-add -H known_hosts -h origin.example.org ed25519\nssh-add -l\nssh-add -T ed25519.pub\n"
        "ssh-add -H known_hosts -h nowhere.example.org rsa2048\nssh-add -d ed25519\nssh-add -l"
    ),
    "signing files": (
        "ssh-add ed25519 rsa3072\necho hello > note\nrm -f note.sig\n"
        "ssh-keygen -Y sign -q -n file -f rsa3072.pub note\n"
        "ssh-keygen -Y check-novalidate -n file -s note.sig < note\nrm note.sig"
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_ssh_add_sees_no_difference(folder, name):
    ours, theirs = (outcome(agent, folder, SCRIPTS[name]) for agent in ("litterbox", "openssh"))
    assert ours == theirs
    assert ours.count("-> ") == len(SCRIPTS[name].splitlines())


@pytest.mark.parametrize("command", ["ssh-add -s /usr/lib/none.so", "ssh-add -e /usr/lib/none.so", "ssh-add -K"])
def test_smartcards_and_resident_keys_are_refused_cleanly(folder, command):
    told = outcome("litterbox", folder, f"PASSPHRASE_FILE=right {command}\nssh-add ed25519\nssh-add -l")
    statuses = [line for line in told.splitlines() if line.startswith("-> ")]
    assert statuses[0] != "-> 0"
    assert statuses[1:] == ["-> 0", "-> 0"]
