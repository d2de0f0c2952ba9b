"""An agent on a real socket, with a real store that holds a key of each kind, and whoever answers its questions."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh
import attrs
import trio

from litterbox.agent.added import AddedKeys
from litterbox.agent.decisions import Agent
from litterbox.agent.known_hosts import KnownHosts
from litterbox.agent.server import serve_agent
from litterbox.agent.stored import StoreIdentities
from litterbox.audit import AuditLog
from litterbox.confirm.question import Answer, Question
from litterbox.confirm.queue import Show, open_dialog_queue
from litterbox.keys import store, vault
from litterbox.keys.records import Attachment, Cost, Store

KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
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
            agent = Agent(
                box="work",
                stored=StoreIdentities.of_box("work", lambda: vault_key, path=key_store),
                added=AddedKeys(),
                known_hosts=KnownHosts([desk.path("host_known_hosts")]),
                ask=queue.ask,
                audit=audit,
            )
            await nursery.start(serve_agent, trio.SocketListener(listening), agent)
            yield desk
            nursery.cancel_scope.cancel()
