"""What people run that uses an agent, against `litterbox agent`: ssh, git, sftp, scp, and two libraries."""

import hashlib
import os
import random
import subprocess
import sys

import pytest
from support.sshd import USER, network

LITTERBOX = [sys.executable, "-m", "litterbox", "agent", "--approve", "all"]


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """Hosts a and b, and keys of three types that may log in there."""
    folder = tmp_path_factory.mktemp("network")
    with network(folder, ["a", "b"]) as made:
        for kind in ("ed25519", "ecdsa", "rsa"):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", kind, "-f", folder / kind], check=True)
            made.authorize((folder / f"{kind}.pub").read_text())
        yield made


def run(hosts, script: str, *keys: str, **environment: str) -> str:
    """Run a shell script with an agent that has `keys`; `ssh` knows the hosts. Returns what it prints."""
    added = " && ".join(f"ssh-add -q {hosts.folder}/{key}" for key in keys or ("ed25519",))
    done = subprocess.run(
        [*LITTERBOX, "--socket", "agent.sock", "--", "bash", "-e", "-c", f"{added}\n{script}"],
        cwd=hosts.folder,
        env={
            **os.environ,
            "LITTERBOX_ROOT": str(hosts.folder / "Litterbox"),
            "GIT_SSH_COMMAND": f"ssh -F {hosts.config}",
            "GIT_CONFIG_GLOBAL": str(hosts.folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "CONFIG": hosts.config,
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_ssh_logs_in(hosts, kind):
    assert run(hosts, "ssh -F $CONFIG a 'echo in $HOST_NAME'", kind) == "in a\n"


def test_many_logins_at_once(hosts):
    script = (
        'for n in $(seq 8); do ssh -F $CONFIG a "echo in $n" & pids="$pids $!"; done; for p in $pids; do wait $p; done'
    )
    assert sorted(run(hosts, script).split()) == sorted(["in"] * 8 + [str(n) for n in range(1, 9)])


def test_the_agent_goes_along_a_chain(hosts):
    script = "ssh -F $CONFIG -A a \"ssh-add -l; ssh -F $CONFIG -A b 'ssh-add -L; echo in \\$HOST_NAME'\""
    said = run(hosts, script)
    assert "ed25519 (ED25519)" in said
    assert (hosts.folder / "ed25519.pub").read_text().strip() in said
    assert said.endswith("in b\n")


GIT = """
rm -rf work there copy
printf '[user]\\nname = Me\\nemail = me@example.org\\nsigningkey = %s/ed25519.pub\\n' "$PWD" > gitconfig
printf '[gpg]\\nformat = ssh\\n' >> gitconfig
printf '[gpg "ssh"]\\nallowedSignersFile = %s/signers\\n' "$PWD" >> gitconfig
printf 'me@example.org %s\\n' "$(cat ed25519.pub)" > signers
git init -q --bare there
git init -q -b main work
cd work
echo hello > file
git add file
"""


def test_git_signs_commits_and_tags(hosts):
    script = (
        GIT + "git commit -q -S -m signed\ngit verify-commit HEAD 2>&1\ngit tag -s -m tag v1\ngit verify-tag v1 2>&1"
    )
    said = run(hosts, script)
    assert said.count('Good "git" signature for me@example.org') == 2


def test_git_pushes_and_clones_over_ssh(hosts):
    script = GIT + (
        f"git commit -q -m plain\ngit push -q ssh://{USER}@a{hosts.folder}/there main\n"
        f"cd ..\ngit clone -q -b main ssh://{USER}@a{hosts.folder}/there copy\ncat copy/file"
    )
    assert run(hosts, script) == "hello\n"


def test_sftp_and_scp_carry_a_file_there_and_back(hosts):
    content = random.Random(1).randbytes(3_000_000)
    (hosts.folder / "sent").write_bytes(content)
    run(hosts, f"printf 'put sent {hosts.folder}/up\\nget {hosts.folder}/up down\\n' | sftp -q -F $CONFIG -b - a")
    run(hosts, f"scp -q -F $CONFIG sent a:{hosts.folder}/up2 && scp -q -F $CONFIG a:{hosts.folder}/up2 down2")
    for name in ("down", "down2"):
        assert hashlib.sha256((hosts.folder / name).read_bytes()).digest() == hashlib.sha256(content).digest()


PARAMIKO = """
import os, sys, paramiko
agent = paramiko.Agent()
keys = agent.get_keys()
print(*sorted(key.get_name() for key in keys))
for key in keys:
    message = paramiko.Message(key.sign_ssh_data(b"data"))
    assert paramiko.PKey.from_type_string(key.get_name(), key.asbytes()).verify_ssh_sig(b"data", message)
config = paramiko.SSHConfig.from_path(os.environ["CONFIG"]).lookup("a")
client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect("127.0.0.1", int(config["port"]), username=sys.argv[1], look_for_keys=False)
print(client.exec_command("echo in")[1].read().decode().strip())
client.close()
"""


def test_paramiko_lists_signs_and_logs_in(hosts):
    (hosts.folder / "client.py").write_text(PARAMIKO)
    said = run(hosts, f"{sys.executable} client.py {USER}", "ed25519", "ecdsa")
    assert said == "ecdsa-sha2-nistp256 ssh-ed25519\nin\n"


ASYNCSSH = """
import asyncio, os, sys, asyncssh
async def main():
    async with asyncssh.connect_agent(os.environ["SSH_AUTH_SOCK"]) as agent:
        keys = await agent.get_keys()
        print(*sorted(key.get_algorithm() for key in keys))
        await agent.lock("secret")
        print(len(await agent.get_keys()))
        await agent.unlock("secret")
        new = asyncssh.generate_private_key("ssh-ed25519", comment="new")
        await agent.add_keys([new], lifetime=60)
        print([key.get_comment() for key in await agent.get_keys()][-1])
        await agent.remove_keys([key for key in await agent.get_keys() if key.get_comment() == "new"])
    port = int(next(line.split()[1] for line in open(os.environ["CONFIG"]) if "Port" in line))
    options = {"username": sys.argv[1], "known_hosts": None, "config": None}
    async with asyncssh.connect("127.0.0.1", port, **options) as there:
        print((await there.run("echo in")).stdout.strip())
asyncio.run(main())
"""


def test_asyncssh_lists_locks_adds_and_logs_in(hosts):
    (hosts.folder / "client.py").write_text(ASYNCSSH)
    said = run(hosts, f"{sys.executable} client.py {USER}").splitlines()
    assert said == ["ssh-ed25519", "0", "new", "in"]
