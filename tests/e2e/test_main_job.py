"""The main job: a box, a key, a window, a login; and everything the window must refuse."""

import base64
import contextlib
import getpass
import json
import os
import socket
import subprocess

import pytest
from support.user import BASE_IMAGE, LONG_ENOUGH, kill, podman, wait_until


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


@pytest.fixture
def key(user, box):
    """A key of the store that the box may use; its public line."""
    user.litterbox("keys", "generate", "laptop")
    user.litterbox("keys", "attach", "laptop", box)
    return user.litterbox("keys", "print", "laptop").stdout.strip()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def sshd(tmp_path, key):
    """A real sshd of the host, with the box's key as the only way in; yields its port."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "host_key"], check=True)
    (tmp_path / "authorized_keys").write_text(f"{key}\n")
    port = free_port()
    (tmp_path / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host_key\nPidFile none\n"
        f"AuthorizedKeysFile {tmp_path}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "AuthenticationMethods publickey\nPasswordAuthentication no\n"
    )
    with subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=subprocess.DEVNULL
    ) as server:
        wait_until(lambda: reachable(port), what="sshd")
        yield port
        server.terminate()


def reachable(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def audit(user, name):
    with open(f"{user.root}/logs/audit-{name}.jsonl") as file:
        return [json.loads(line) for line in file]


def test_from_an_empty_home_to_a_listed_key(user, person, tmp_path):
    assert not os.path.exists(user.root)
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    user.litterbox("build", "work")
    public = user.litterbox("keys", "generate", "laptop").stdout.split()
    user.litterbox("keys", "attach", "laptop", "work")
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-f", "-"], input=" ".join(public), capture_output=True, text=True, check=True
    ).stdout.split()[1]
    with user.start("enter", "work", "--", "ssh-add", "-l") as listing:
        person.approve("work")
        said, _ = listing.communicate(timeout=LONG_ENOUGH)
    assert listing.returncode == 0
    assert fingerprint in said
    user.wait_until_over("work")


def test_a_login_succeeds_after_approval_and_fails_after_decline(user, person, box, sshd):
    with open(f"{user.root}/definitions/{box}.toml", "w") as file:
        file.write('network = "host"\n')
    user.litterbox("build", box)
    login = [
        *("enter", box, "--", "ssh", "-p", str(sshd), "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"),
        *(f"{getpass.getuser()}@127.0.0.1", "echo", "logged in"),
    ]
    with user.start(*login) as approved:
        person.approve(box)  # ssh lists the keys first
        person.approve(box, screenshot=f"{os.environ.get('OUT', user.root)}/login.png")
        said, complaint = approved.communicate(timeout=LONG_ENOUGH)
    assert (approved.returncode, said) == (0, "logged in\n"), complaint
    with user.start(*login) as declined:
        person.approve(box)
        person.decline(box)
        said, complaint = declined.communicate(timeout=LONG_ENOUGH)
    assert (declined.returncode, said) == (255, "")
    assert "Permission denied" in complaint
    lines = [(line["what"], line["decision"], line["by"]) for line in audit(user, box)]
    signs = [line for line in lines if line[0] == "sign"]
    assert signs == [("sign", "approved", "dialog"), ("sign", "declined", "dialog")]


def test_return_declines_and_so_does_a_listing_that_is_not_approved(user, person, box, key):
    with user.start("enter", box, "--", "ssh-add", "-l") as listing:
        person.decline(box)
        said, _ = listing.communicate(timeout=LONG_ENOUGH)
    assert key.split()[1][:20] not in said
    assert listing.returncode != 0


def test_a_listing_approved_for_the_session_is_not_asked_again(user, person, box, key):
    with user.session(box):
        with user.start("enter", box, "--", "ssh-add", "-l") as listing:
            person.approve_for_session(box)
            listing.communicate(timeout=LONG_ENOUGH)
        again = user.litterbox("enter", box, "--", "ssh-add", "-l")
        assert "laptop" in again.stdout
        assert person.sees_nothing(box)


def test_a_client_that_goes_takes_its_window_along(user, person, box, key):
    with user.session(box), user.start("enter", box, "--", "timeout", "-s", "KILL", "3", "ssh-add", "-l") as listing:
        wait_until(lambda: not person.sees_nothing(box), what="the window")
        listing.communicate(timeout=LONG_ENOUGH)
        wait_until(lambda: person.sees_nothing(box), what="the window gone", within=5)
        assert audit(user, box)[-1]["by"] == "disconnect"


def test_a_key_that_is_not_attached_is_neither_listed_nor_used(user, person, box, key):
    other = user.litterbox("keys", "generate", "other").stdout
    with open(f"{user.root}/homes/{box}/other.pub", "w") as file:
        file.write(other)
    with user.session(box):
        with user.start("enter", box, "--", "ssh-add", "-L") as listing:
            person.approve(box)
            said, _ = listing.communicate(timeout=LONG_ENOUGH)
        assert said.split()[1] == key.split()[1]
        assert other.split()[1] not in said
        blob = base64.b64decode(other.split()[1])
        request = b"\x0d" + ssh_string(blob) + ssh_string(b"anything") + bytes(4)  # SSH_AGENTC_SIGN_REQUEST
        answer = ask_agent(user, box, ssh_string(request))
        assert answer == "0000000105"  # SSH_AGENT_FAILURE
        assert person.sees_nothing(box)
        assert audit(user, box)[-1]["decision"] == "refused"


def ssh_string(content):
    return len(content).to_bytes(4, "big") + content


def ask_agent(user, box, request):
    """Send raw bytes to the agent from inside the box; returns its answer in hexadecimal."""
    script = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect('/tmp/ssh-agent.sock');"
        " s.sendall(bytes.fromhex(sys.argv[1])); print(s.recv(65536).hex())"
    )
    runtime = ["/litterbox-runtime/bin/python3", "-IS"]
    return user.litterbox("enter", box, "--", *runtime, "-c", script, request.hex()).stdout.strip()


def test_a_signature_made_in_the_box_verifies_on_the_host(user, person, box, key, tmp_path):
    with open(f"{user.root}/homes/{box}/key.pub", "w") as file:
        file.write(f"{key}\n")
    sign = "echo hello > note && ssh-keygen -Y sign -n file -f key.pub note"
    with user.start("enter", box, "--", "sh", "-c", sign) as signing:
        person.approve(box)  # ssh-keygen lists the keys first
        person.approve(box)
        _, complaint = signing.communicate(timeout=LONG_ENOUGH)
    assert signing.returncode == 0, complaint
    (tmp_path / "allowed").write_text(f"me {key}\n")
    home = f"{user.root}/homes/{box}"
    verify = ["ssh-keygen", "-Y", "verify", "-n", "file", "-I", "me", "-f", tmp_path / "allowed", "-s"]
    with open(f"{home}/note") as note:
        done = subprocess.run([*verify, f"{home}/note.sig"], stdin=note, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_attaching_reaches_a_running_box_and_detaching_takes_effect_at_once(user, person, box):
    user.litterbox("keys", "generate", "laptop")
    with user.session(box):
        user.litterbox("keys", "attach", "laptop", box)
        with user.start("enter", box, "--", "ssh-add", "-l") as listing:
            person.approve_for_session(box)
            said, _ = listing.communicate(timeout=LONG_ENOUGH)
        assert "laptop" in said
        user.litterbox("keys", "detach", "laptop", box)
        assert "no identities" in user.litterbox("enter", box, "--", "ssh-add", "-l", status=1).stdout


def test_a_killed_daemon_is_replaced_behind_the_same_agent_path(user, person, box, key):
    with user.start(
        "enter",
        box,
        "--",
        "sh",
        "-c",
        "echo in; read word; ssh-add -l",
        stdin=subprocess.PIPE,
    ) as old:
        assert old.stdout.readline() == "in\n"
        kill(user.daemon(box))
        user.litterbox("enter", box, "true")
        old.stdin.write("go\n")
        old.stdin.flush()
        person.approve(box)
        said, _ = old.communicate(timeout=LONG_ENOUGH)
    assert "laptop" in said


def test_a_first_entry_without_a_display_does_not_doom_the_second(user, person, box, key):
    with user.start("enter", box, "--", "cat", stdin=subprocess.PIPE, environment={"DISPLAY": ""}) as first:
        wait_until(lambda: user.sessions_in_lock(box) == [first.pid], what="the first session")
        done = user.litterbox("enter", box, "--", "ssh-add", "-l", status=None, DISPLAY="")
        assert done.returncode != 0
        assert "has a display" in user.litterbox("logs", box).stdout
        with user.start("enter", box, "--", "ssh-add", "-l") as second:
            person.approve(box)
            said, _ = second.communicate(timeout=LONG_ENOUGH)
        assert "laptop" in said
        first.stdin.close()
        first.wait(LONG_ENOUGH)


def test_a_wrong_password_keeps_enter_out_and_leaves_nothing(user, box, key):
    done = user.litterbox("enter", box, "true", status=125, LITTERBOX_PASSWORD_COMMAND="echo wrong")
    assert "password" in done.stderr
    assert user.sessions_in_lock(box) == []
    assert user.daemon(box) is None


def test_deleting_a_box_detaches_its_keys_and_keeps_what_was_not_named(user, box, key):
    user.litterbox("enter", box, "--", "sh", "-c", "echo mine > note")
    user.wait_until_over(box)
    user.litterbox("delete", box, "--yes")
    [listed] = json.loads(user.litterbox("keys", "list", "--json").stdout)
    assert listed["attachments"] == [] if "attachments" in listed else not listed["attached_to"]
    assert podman("ps", "--all", "--quiet").stdout == ""
    assert os.path.exists(f"{user.root}/homes/{box}/note")
    user.litterbox("delete", box, "--yes", "--home", "--definition")
    assert not os.path.exists(f"{user.root}/homes/{box}")
    assert json.loads(user.litterbox("list", "--json").stdout) == []
    user.litterbox("delete", box, "--yes", status=1)
