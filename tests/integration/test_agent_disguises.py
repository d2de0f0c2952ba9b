"""Logins in unusual forms that real servers accept: each is shown as the login that it is.

So is an honest one with a certificate, through a window.
"""

import base64
import json
import os
import subprocess
from functools import partial

import pytest
import trio
from asyncssh.packet import MPInt, SSHPacket, String
from support.desk import Desk, agent
from support.dialog import APPROVE, dialog, picture
from support.raw_login import Disguise
from support.sshd import USER, Network, network

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer
from litterbox.confirm.said import logged

ED25519, RSA = "ssh-ed25519", "ssh-rsa"
CERTIFIED = "ssh-ed25519-cert-v01@openssh.com"
KEY_ID = 'me" on alpha.test'
NOT_UTF_8 = b"andr\xe9"


@pytest.fixture
def hosts(tmp_path, request):
    """A host called `a`, whose authority certifies users; it knows the user by the name that the test is about."""
    folder = tmp_path / "network"
    folder.mkdir()
    user = NOT_UTF_8 if "not UTF-8" in request.node.name else USER.encode()
    with network(folder, ["a"], user=user) as made:
        yield made


def certificate(desk: Desk, hosts: Network) -> str:
    """Have the authority certify the Ed25519 key for the user; returns the path of the certificate."""
    words = ["-q", "-s", hosts.folder / "authority", "-I", KEY_ID, "-n", f"{USER},other", desk.path(f"{ED25519}.pub")]
    subprocess.run(["ssh-keygen", *words], check=True)
    return desk.path(f"{ED25519}-cert.pub")


def certified(desk: Desk, hosts: Network) -> dict[str, object]:
    with open(certificate(desk, hosts)) as file:
        return {"key": base64.b64decode(file.read().split()[1]), "algorithm": CERTIFIED}


def padded(desk: Desk, number: int) -> dict[str, object]:
    """The RSA key with zeros before its exponent (0) or its modulus (1)."""
    blob = desk.keys[RSA].public_data
    packet = SSHPacket(blob)
    packet.get_string()
    numbers = [MPInt(packet.get_mpint()), MPInt(packet.get_mpint())]
    numbers[number] = String(b"\0" * 3 + numbers[number][4:])
    return {"key": String(RSA) + b"".join(numbers), "algorithm": "rsa-sha2-256", "signs": blob, "flags": 2}


# What each changes in an ordinary login, and what the window says of it.
DISGUISES = {
    "none": (lambda _desk, _hosts: {}, f'log in to a as "{USER}"'),
    "certificate": (certified, rf'log in to a as "{USER}" with the certificate "me\" on alpha.test"'),
    "signed 2": (lambda _desk, _hosts: {"signed": 2}, f'log in to a as "{USER}"'),
    "signed 255": (lambda _desk, _hosts: {"signed": 255}, f'log in to a as "{USER}"'),
    "user not UTF-8": (lambda _desk, _hosts: {"user": NOT_UTF_8}, r'log in to a as "andr\udce9"'),
    "exponent with zeros": (lambda desk, _hosts: padded(desk, 0), f'log in to a as "{USER}"'),
    "modulus with zeros": (lambda desk, _hosts: padded(desk, 1), f'log in to a as "{USER}"'),
}


def know_names(desk: Desk, hosts: Network) -> None:
    """Give the agent's host the names of the network."""
    with open(hosts.known_hosts) as file:
        desk.write("host_known_hosts", file.read())


def let_in(desk: Desk, hosts: Network) -> None:
    for kind in (ED25519, RSA):
        hosts.authorize(desk.keys[kind].export_public_key().decode())


def fingerprint(path: object) -> str:
    listed = subprocess.run(["ssh-keygen", "-l", "-f", path], capture_output=True, text=True, check=True)
    return listed.stdout.split()[1]


def audited(desk: Desk) -> dict[str, object]:
    with open(desk.path("logs/audit.jsonl")) as file:
        return json.loads(file.readlines()[-1])


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("answer", [Answer.APPROVED_ONCE, Answer.DECLINED])
async def test_a_login_that_a_server_accepts_is_shown_as_a_login(tmp_path, hosts, disguise, answer):
    changes, words = DISGUISES[disguise]
    async with agent(str(tmp_path), answer) as desk:
        know_names(desk, hosts)
        let_in(desk, hosts)
        blob = desk.keys[ED25519].public_data
        ordinary = {"key": blob, "algorithm": ED25519, "signs": blob, "user": USER.encode()}
        login = Disguise(**(ordinary | changes(desk, hosts)))
        accepted = await trio.to_thread.run_sync(login.log_in, hosts.ports["a"], desk.path("agent.sock"))
        [question] = desk.asked
        line = audited(desk)
    assert accepted is (answer is Answer.APPROVED_ONCE)
    assert logged(question.action) == words
    assert not question.approval  # this client does not bind its connection
    assert line["detail"]["purpose"] == words
    assert line["decision"] == answer.value


async def test_a_login_with_a_certificate_and_a_stored_key_is_named_in_its_window(tmp_path, hosts, display):
    async with agent(str(tmp_path), partial(zenity.show, displays=[display.environment])) as desk:
        know_names(desk, hosts)
        path = certificate(desk, hosts)
        os.chmod(path, 0o600)
        options = ["-o", "IdentitiesOnly=yes", "-i", desk.path(f"{ED25519}.pub"), "-o", f"CertificateFile={path}"]
        runs, said = [], []

        async def log_in() -> None:
            runs.append(await desk.run(*hosts.ssh(*options, "a", "echo", "in")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(log_in)
            for asks in ("which SSH keys", "log in to"):
                window = await dialog(display, "Litterbox: work", saying=asks)
                said.append(window.text.replace("\n    ", " "))
                await picture(window, f"certificate-{len(said)}")
                await window.choose(APPROVE)
                await window.gone()
        server = (hosts.folder / "sshd_a.log").read_text()
        line = audited(desk)
    assert runs[0].stdout == b"in\n", runs[0].stderr
    assert "CERT" in server
    purpose = rf'log in to a as "{USER}" with the certificate "me\" on alpha.test"'
    assert said[1].startswith(f"work: {purpose}?\n")
    authority = fingerprint(hosts.folder / "authority.pub")
    assert f'Certificate: by its own words for "{USER}", "other", and signed by {authority}' in said[1]
    assert (line["what"], line["detail"]["purpose"]) == ("sign", purpose)
