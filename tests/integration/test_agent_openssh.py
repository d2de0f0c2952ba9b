"""OpenSSH's own tools against our agent: a real socket, a real key store, and a user at the other end."""

import getpass
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncssh
import attrs
import pytest
import trio
from support.asked import fields_of
from support.display import Display

from litterbox.agent.added import AddedKeys
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.server import serve_agent
from litterbox.agent.stored import StoreIdentities
from litterbox.audit import AuditLog
from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Question
from litterbox.confirm.queue import Show, open_dialog_queue
from litterbox.keys import store, vault
from litterbox.keys.records import Attachment, Cost, Store

KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
CHEAP = Cost(iterations=1, lanes=1, memory_kib=8)  # nobody opens this vault by its password


@attrs.frozen
class Desk:
    """A folder with an agent's socket and public keys in it, and what the user of the agent was asked."""

    folder: str
    keys: dict[str, asyncssh.SSHKey]
    asked: list[Question]

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, content: str) -> str:
        with open(self.path(name), "w") as file:
            file.write(content)
        return self.path(name)

    async def run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        """Run a command of OpenSSH's with this agent as its own."""
        environment = {**os.environ, "SSH_AUTH_SOCK": self.path("agent.sock"), "LC_ALL": "C"}
        with trio.fail_after(30):
            return await trio.run_process(
                command, env=environment, check=False, capture_stdout=True, capture_stderr=True, stdin=b""
            )


@asynccontextmanager
async def agent(folder: str, answer: Answer | Show = Answer.APPROVED_ONCE) -> AsyncIterator[Desk]:
    """Serve one key of each kind; `answer` is what the user says to everything, or how they are asked."""
    keys = {kind: asyncssh.generate_private_key(kind, comment=f"me with {kind}") for kind in KINDS}
    vault_key = vault.new_vault_key()
    sealed = tuple(
        vault.seal(
            key.export_private_key("pkcs8-der"),
            vault_key,
            name=kind,
            public_key=key.export_public_key().decode().strip(),
            attachments=(Attachment("work"),),
        )
        for kind, key in keys.items()
    )
    key_store = os.path.join(folder, "keys.ron")
    store.change(key_store, lambda _before: Store(vault.wrap(vault_key, b"", cost=CHEAP), sealed))
    desk = Desk(folder, keys, [])
    for kind in KINDS:
        keys[kind].write_public_key(desk.path(f"{kind}.pub"))

    async def show(question: Question) -> Answer:
        desk.asked.append(question)
        return answer if isinstance(answer, Answer) else await answer(question)

    with (
        trio.socket.socket(trio.socket.AF_UNIX) as listening,
        AuditLog("work", path=desk.path("logs/audit.jsonl")) as audit,
    ):
        await listening.bind(desk.path("agent.sock"))
        listening.listen(128)
        async with open_dialog_queue(show) as queue, trio.open_nursery() as nursery:
            serve = partial(
                serve_agent,
                box="work",
                stored=StoreIdentities.of_box("work", lambda: vault_key, path=key_store),
                added=AddedKeys(),
                known_hosts=KnownHosts([desk.path("host_known_hosts")]),
                ask=queue.ask,
                audit=audit,
            )
            await nursery.start(serve, trio.SocketListener(listening))
            yield desk
            nursery.cancel_scope.cancel()


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
    assert fields_of(question)["For"] == 'Sign a git commit or tag (namespace "git")'
    assert fields_of(question)["Key"] == f"{kind} ({kind})"
    assert question.offers_session


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
        purpose = fields_of(desk.asked[-1]).get("For", "")
    if answer is Answer.APPROVED_ONCE:
        assert run.stdout == b"in\n", run.stderr
        # OpenSSH 8.9 and newer bind the connection; the name is the host's, not the client's.
        assert purpose == f'Log in as "{getpass.getuser()}" on server.example.org'
        assert desk.asked[-1].offers_session
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
        await display.window("Litterbox: work")
        await display.press("Tab", "Return")
    assert runs[0].returncode == 0, runs[0].stderr


async def test_a_dialog_goes_with_the_client_that_asked(tmp_path, display):
    async with agent(str(tmp_path), on(display)) as desk, trio.open_nursery() as nursery:
        command = ["ssh-add", "-T", desk.path("ssh-ed25519.pub")]
        environment = {**os.environ, "SSH_AUTH_SOCK": desk.path("agent.sock")}
        client = await nursery.start(partial(trio.run_process, command, env=environment, check=False))
        await display.window("Litterbox: work")
        client.kill()
        await display.no_window("Litterbox: work")
