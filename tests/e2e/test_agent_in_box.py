"""The agent as a box has it, with real dialogs: keys of its own, logins that name their host, limits, approvals."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from support.sshd import USER, network
from support.user import BASE_IMAGE, LONG_ENOUGH


@pytest.fixture
def hosts(tmp_path):
    """Hosts a and b on this machine, whose names this user's known_hosts has."""
    (tmp_path / "hosts").mkdir()
    known = os.path.expanduser("~/.ssh/known_hosts")
    os.makedirs(os.path.dirname(known), mode=0o700, exist_ok=True)
    assert not os.path.exists(known)
    with network(tmp_path / "hosts", ["a", "b"]) as made:
        with open(made.known_hosts) as names, open(known, "w") as file:
            file.writelines(re.sub(r"^([ab]) ", r"\1.example.org ", line) for line in names)
        yield made
        os.unlink(known)


@pytest.fixture(scope="module")
def make_box():
    """A built box on the host's network, with the key `laptop` in the store."""

    def make(user):
        user.define("work", "local", "--image", BASE_IMAGE)
        with open(f"{user.root}/definitions/work.toml", "w") as file:
            file.write('network = "host"\n')
        user.litterbox("build", "work")
        user.litterbox("keys", "generate", "laptop")

    return make


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


@pytest.fixture
def attached(user, box):
    user.litterbox("keys", "attach", "laptop", box)
    return box


def run(user, box, script, *answers):
    """Run a shell script in the box while the person gives `answers`, in order; returns what it said, and was asked."""
    with user.start("enter", box, "--", "sh", "-c", script) as running:
        asked = [answer(box) for answer in answers]
        said, complaint = running.communicate(timeout=LONG_ENOUGH)
    return said + complaint, asked


def known_to_box(user, box, hosts):
    """Put into the box's home how to reach the hosts, as `ssh -F config NAME`; the box knows them as a and b."""
    home = f"{user.root}/homes/{box}"
    with open(hosts.config) as file:
        config = file.read().replace(hosts.known_hosts, "/home/user/known_hosts")
    config = config.replace("Host *\n", f"Host *\n User {USER}\n")
    with open(f"{home}/config", "w") as file:
        file.write(config)
    shutil.copy(hosts.known_hosts, f"{home}/known_hosts")


def audit(user, *options):
    lines = user.litterbox("audit", "work", "--json", *options).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_a_key_of_the_box_s_own_is_added_listed_and_removed(user, person, attached):
    script = (
        "ssh-keygen -q -t ed25519 -N '' -C mine -f key && ssh-add -q key && ssh-add -l && ssh-add -q -d key"
        " && ssh-add -L && ssh-add -D && ssh-add -l"
    )
    said, asked = run(user, attached, script, *[person.approve] * 6)
    assert "mine (ED25519)" in said
    assert said.count("laptop") == 2
    assert "The agent has no identities." in said
    assert "add an SSH key to its agent?" in asked[0]
    assert '"mine" (ssh-ed25519), not from your key store' in asked[0]
    assert "see which SSH keys it has?" in asked[1]
    assert "remove an SSH key" in asked[2]
    assert "remove every SSH key" in asked[4]
    shown = user.litterbox("audit", attached).stdout
    assert re.search(r'add +approved +dialog +\d+ +"mine"', shown)


def test_a_locked_agent_opens_with_the_same_passphrase(user, person, attached):
    with open(f"{user.root}/homes/{attached}/ask", "w") as file:
        file.write("#!/bin/sh\necho secret\n")
        os.chmod(file.name, 0o700)
    script = "export SSH_ASKPASS=~/ask SSH_ASKPASS_REQUIRE=force; ssh-add -x; ssh-add -l; ssh-add -X; ssh-add -l"
    said, asked = run(user, attached, script, *[person.approve] * 3)
    assert "Agent locked." in said
    assert "The agent has no identities." in said
    assert "Agent unlocked." in said
    assert "laptop" in said
    assert "lock its agent" in asked[0]
    assert "secret" not in str(audit(user))


def test_a_login_names_the_host_by_this_computer_s_known_hosts_and_is_approved_for_the_session(
    user, person, attached, hosts
):
    known_to_box(user, attached, hosts)
    hosts.authorize(user.litterbox("keys", "print", "laptop").stdout)
    login = "ssh -F config a 'echo in $HOST_NAME'"
    with user.session(attached):
        said, asked = run(user, attached, login, person.approve_for_session, person.approve_for_session)
        assert said == "in a\n"
        assert f'work: log in to a.example.org as "{USER}"?' in asked[1]
        assert 'says it is "ssh -F config a' in asked[1]
        assert run(user, attached, login)[0] == "in a\n"
        rows = json.loads(user.litterbox("approvals", attached, "--json").stdout)
        assert [row["request"] for row in rows] == ["list", "sign"]
        assert rows[1]["destination"] == f'"{USER}" on a.example.org'
        assert "Forgot 2 approvals" in user.litterbox("approvals", attached, "--forget").stderr
        said, asked = run(user, attached, login, person.approve, person.decline)
        assert "Permission denied" in said
    assert [line["by"] for line in audit(user) if line["what"] == "sign"] == ["dialog", "session approval", "dialog"]


def test_a_forwarded_agent_is_warned_of(user, person, attached, hosts):
    known_to_box(user, attached, hosts)
    hosts.authorize(user.litterbox("keys", "print", "laptop").stdout)
    script = f"ssh -F config -A a \"ssh -F {hosts.config} b 'echo in \\$HOST_NAME'\""
    said, asked = run(user, attached, script, *[person.approve] * 4)
    assert said == "in b\n"
    assert "The request came through" not in asked[1]
    assert "The request came through a.example.org. Whoever controls that computer" in " ".join(asked[3].split())
    assert f'log in to b.example.org as "{USER}"?' in asked[3]


def test_a_key_for_one_host_that_never_asks_logs_in_there_without_a_window_and_nowhere_else(user, person, box, hosts):
    known_to_box(user, box, hosts)
    user.litterbox("keys", "attach", "laptop", box, "--host", "a.example.org", "--ask", "never")
    hosts.authorize(user.litterbox("keys", "print", "laptop").stdout)
    assert run(user, box, "ssh -F config a 'echo in'")[0] == "in\n"
    said, _asked = run(user, box, "ssh -F config b 'echo in'", person.approve)  # what the list may show
    assert "Permission denied" in said
    signs = [(line["decision"], line["by"]) for line in audit(user) if line["what"] == "sign"]
    assert signs == [("approved", "policy")]


def test_a_key_that_asks_once_asks_once_for_each_host(user, person, box, hosts):
    known_to_box(user, box, hosts)
    user.litterbox("keys", "attach", "laptop", box, "--ask", "once")
    hosts.authorize(user.litterbox("keys", "print", "laptop").stdout)
    with user.session(box):
        assert (
            run(user, box, "ssh -F config a 'echo in'", person.approve_for_session, person.approve_for_session)[0]
            == "in\n"
        )
        assert run(user, box, "ssh -F config a 'echo in'")[0] == "in\n"
        said, asked = run(user, box, "ssh -F config b 'echo in'", person.decline)
    assert "b.example.org" in asked[0]
    assert "Permission denied" in said


def test_git_signs_a_commit_in_the_box(user, person, attached):
    with open(f"{user.root}/homes/{attached}/key.pub", "w") as file:
        file.write(user.litterbox("keys", "print", "laptop").stdout)
    script = (
        "git init -q repo && cd repo && git config gpg.format ssh && git config user.signingkey ~/key.pub"
        " && git config user.email me@example.org && git config user.name Me"
        " && git commit -q -S --allow-empty -m hello && git cat-file -p HEAD"
    )
    said, asked = run(user, attached, script, person.approve, person.approve)
    assert "-----BEGIN SSH SIGNATURE-----" in said
    assert 'work: sign a git commit or tag (namespace "git")?' in asked[1]


def test_sigusr1_forgets_what_the_box_added_and_not_what_is_attached(user, person, attached):
    with user.session(attached):
        script = "ssh-keygen -q -t ed25519 -N '' -C mine -f key && ssh-add -q key"
        run(user, attached, script, person.approve)
        os.kill(user.daemon(attached), signal.SIGUSR1)
        said, _asked = run(user, attached, "ssh-add -l", person.approve)
        assert "received SIGUSR1: dropped the keys" in user.litterbox("logs", attached).stdout
    assert "laptop" in said
    assert "mine" not in said


def test_the_timeout_of_a_dialog_is_a_setting_that_counts_at_once(user, person, attached):
    with user.session(attached):
        with open(f"{user.root}/definitions/work.toml", "a") as file:
            file.write("dialog_timeout = 5\n")
        said, _asked = run(user, attached, "ssh-add -l")
    assert "agent refused operation" in said
    assert [line["by"] for line in audit(user)] == ["timeout"]


def test_the_audit_log_is_followed_while_it_is_written(user, person, attached):
    with user.session(attached):
        run(user, attached, "ssh-add -l", person.approve)
        with user.start("audit", attached, "--follow", "--since", "1h") as following:
            assert following.stdout.readline().startswith("TIME")
            assert "approved" in following.stdout.readline()
            run(user, attached, "ssh-add -l", person.decline)
            assert "declined" in following.stdout.readline()
            following.send_signal(signal.SIGINT)
            assert following.wait(LONG_ENOUGH) == 130
    assert user.litterbox("audit", attached, "--since", "tomorrow", status=2).stderr.startswith("litterbox: 'tomorrow'")


def test_approvals_without_a_daemon(user, box):
    assert "nothing is approved" in user.litterbox("approvals", box).stderr
    assert json.loads(user.litterbox("approvals", box, "--json").stdout) == []
    assert "no box nowhere" in user.litterbox("approvals", "nowhere", status=1).stderr
    assert subprocess.run(["litterbox", "audit"], capture_output=True, check=False).returncode == 2
