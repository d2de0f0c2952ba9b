"""OpenSSH's own tools against our agent: a real socket, a real key store, and a user at the other end."""

import getpass
import os
from functools import partial

import asyncssh
import pytest
import trio
from support.asked import fields_of
from support.desk import KINDS, agent
from support.dialog import APPROVE, dialog
from support.display import Display
from support.sshd import SSHD

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer
from litterbox.confirm.queue import Show
from litterbox.confirm.said import logged


async def test_ssh_add_lists_fingerprints_and_public_keys(tmp_path):
    async with agent(str(tmp_path)) as desk:
        short, long = await desk.run("ssh-add", "-l"), await desk.run("ssh-add", "-L")
        keys = desk.keys
    assert short.returncode == long.returncode == 0
    assert [line.split()[1].decode() for line in short.stdout.splitlines()] == [
        key.get_fingerprint() for key in keys.values()
    ]
    assert long.stdout.decode().split("\n") == [key.export_public_key().decode().strip() for key in keys.values()] + [
        ""
    ]


async def test_a_declined_list_is_refused(tmp_path):
    async with agent(str(tmp_path), Answer.DECLINED) as desk:
        run = await desk.run("ssh-add", "-l")
    assert run.returncode == 1
    assert b"agent refused operation" in run.stderr


@pytest.mark.parametrize("kind", KINDS)
async def test_ssh_add_tests_each_type_of_key(tmp_path, kind):
    async with agent(str(tmp_path)) as desk:
        run = await desk.run("ssh-add", "-T", desk.path(f"{kind}.pub"))
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", KINDS)
async def test_ssh_keygen_signs_and_verifies_and_the_question_says_what_for(tmp_path, kind):
    async with agent(str(tmp_path)) as desk:
        commit = desk.write("commit", "tree 4b825dc\n")
        signers = desk.write("signers", f"me@host {desk.keys[kind].export_public_key().decode()}")
        signed = await desk.run("ssh-keygen", "-Y", "sign", "-n", "git", "-f", desk.path(f"{kind}.pub"), commit)
        assert signed.returncode == 0, signed.stderr
        verify = f"ssh-keygen -Y verify -f {signers} -I me@host -n git -s {commit}.sig < {commit}"
        verified = await desk.run("sh", "-c", verify)
        assert verified.returncode == 0, verified.stderr
        question = desk.asked[-1]
    assert logged(question.action) == 'sign a git commit or tag (namespace "git")'
    assert fields_of(question)["Key"] == f"{kind} ({kind})"
    assert question.approval


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", [Answer.APPROVED_ONCE, Answer.DECLINED])
async def test_ssh_logs_in_when_approved_and_not_when_declined(tmp_path, kind, answer):
    async with agent(str(tmp_path), answer) as desk:
        host_key = asyncssh.generate_private_key("ssh-ed25519")
        host_key.write_private_key(desk.path("host_key"))
        os.chmod(desk.path("host_key"), 0o600)
        desk.write("authorized_keys", desk.keys[kind].export_public_key().decode())
        desk.write("known_hosts", f"server {host_key.export_public_key().decode()}")
        desk.write("host_known_hosts", f"server.example.org {host_key.export_public_key().decode()}")
        config = [f"HostKey {desk.path('host_key')}", f"AuthorizedKeysFile {desk.path('authorized_keys')}"]
        config += ["StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no"]
        desk.write("sshd_config", "\n".join(config))
        options = [f"ProxyCommand={SSHD} -i -f {desk.path('sshd_config')}", "IdentitiesOnly=yes", "BatchMode=yes"]
        options += [f"UserKnownHostsFile={desk.path('known_hosts')}", f"IdentityFile={desk.path(f'{kind}.pub')}"]
        ssh = ["ssh", "-F", "/dev/null", *(f"-o{option}" for option in options)]
        run = await desk.run(*ssh, f"{getpass.getuser()}@server", "echo", "in")
        purpose = logged(desk.asked[-1].action)
    if answer is Answer.APPROVED_ONCE:
        assert run.stdout == b"in\n", run.stderr
        # OpenSSH 8.9 and newer bind the connection; the name is the host's, not the client's.
        assert purpose == f'log in to server.example.org as "{getpass.getuser()}"'
        assert desk.asked[-1].approval
    else:
        assert run.returncode == 255
        assert b"Permission denied" in run.stderr


def on(display: Display) -> Show:
    return partial(zenity.show, displays=[display.environment])


async def test_a_dialog_is_pressed_and_the_key_signs(tmp_path, display):
    async with agent(str(tmp_path), on(display)) as desk, trio.open_nursery() as nursery:
        runs = []

        async def test_the_key() -> None:
            runs.append(await desk.run("ssh-add", "-T", desk.path("ssh-ed25519.pub")))

        nursery.start_soon(test_the_key)
        await (await dialog(display, "Litterbox: work")).choose(APPROVE)
    assert runs[0].returncode == 0, runs[0].stderr


async def test_a_dialog_goes_with_the_client_that_asked(tmp_path, display):
    async with agent(str(tmp_path), on(display)) as desk, trio.open_nursery() as nursery:
        command = ["ssh-add", "-T", desk.path("ssh-ed25519.pub")]
        environment = {**os.environ, "SSH_AUTH_SOCK": desk.path("agent.sock")}
        client = await nursery.start(partial(trio.run_process, command, env=environment, check=False))
        await display.window("Litterbox: work")
        client.kill()
        await display.no_window("Litterbox: work")
