"""Every field of the capabilities that a box can fill, with the same hostile texts: none leaves its quotes anywhere."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
import pytest
import trio
from support.hostile import HOSTILE, check_approvals, check_audit, check_question, raw

from litterbox import paths
from litterbox.audit import AuditLog
from litterbox.capabilities.client import Client
from litterbox.capabilities.clipboard import Clipboard
from litterbox.capabilities.host_exec.commands import HostCommands
from litterbox.capabilities.notify import Notifications
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.replies import Reply
from litterbox.capabilities.xdg_open.request import Links
from litterbox.confirm.question import Answer, Question
from litterbox_guest.messages import ClipboardGet, ClipboardSet, HostExec, Notify, XdgOpen


@attrs.define
class Desk:
    """A user who declines all and keeps what was asked, and a client that takes every answer."""

    audit: AuditLog
    asked: list[Question] = attrs.field(factory=list)

    @property
    def policy(self) -> Policy:
        return Policy(box="work", ask=self._ask, audit=self.audit)

    @property
    def client(self) -> Client:
        return Client(peer=77, features=frozenset(), send=self._send, receive=trio.sleep_forever)

    async def notify(self, **fields: str) -> None:
        await Notifications(policy=self.policy, notifier=None).answer(Notify(**fields), self.client)

    async def open(self, uri: str) -> None:
        await Links(policy=self.policy, opener=None).answer(XdgOpen(uri=uri), self.client)

    async def copy(self, data: bytes, mime_type: str = "text/plain") -> None:
        message = ClipboardSet(mime_type=mime_type, data=data)
        await Clipboard(policy=self.policy, selections=None).set(message, self.client)

    async def paste(self, mime_type: str) -> None:
        await Clipboard(policy=self.policy, selections=None).get(ClipboardGet(mime_type=mime_type), self.client)

    async def run(self, command: str, *args: str, working_dir: str = "/home/user") -> None:
        request = HostExec(command=command, args=list(args), working_dir=working_dir)
        commands = HostCommands(policy=self.policy, environment=dict, guard=None, nursery=None)
        await commands.answer(request, self.client)

    async def run_in(self, name: str) -> None:
        try:
            os.makedirs(os.path.join(paths.home("work"), name), exist_ok=True)
        except (OSError, ValueError):
            return
        await self.run("here", working_dir=f"/home/user/{name}" if name else "/home/user")

    async def _ask(self, question: Question) -> Answer:
        self.asked.append(question)
        return Answer.DECLINED

    async def _send(self, _reply: Reply) -> None:
        pass


SETTINGS = """
notify = "confirm"
xdg_open = "confirm"
clipboard = "confirm"
host_exec = "confirm"
commands.echo.program = "/bin/echo"
commands.here = {program = "/bin/pwd", folder = "box"}
"""

# Each field, and how many of the texts it takes to a question: a link, a type and a path cannot hold most of them.
CAPABILITIES: dict[str, tuple[Callable[[Desk, str], Awaitable[None]], int]] = {
    "summary": (lambda desk, value: desk.notify(summary=value, body="x"), 49),
    "body": (lambda desk, value: desk.notify(summary="x", body=value), 49),
    "link": (lambda desk, value: desk.open(value), 0),
    "path of a link": (lambda desk, value: desk.open(f"https://example.org/{value}"), 1),
    "user of a link": (lambda desk, value: desk.open(f"https://{value}@example.org/"), 1),
    "site of a link": (lambda desk, value: desk.open(f"https://{value}.example.org/"), 0),
    "text that is copied": (lambda desk, value: desk.copy(raw(value)), 45),
    "type of what is copied": (lambda desk, value: desk.copy(b"x", mime_type=value), 0),
    "type with a text in it": (lambda desk, value: desk.copy(b"x", mime_type=f"text/{value}"), 0),
    "type of what is pasted": (lambda desk, value: desk.paste(value), 0),
    "command": (lambda desk, value: desk.run(value), 0),
    "argument": (lambda desk, value: desk.run("echo", value), 25),
    "folder": (lambda desk, value: desk.run_in(value), 15),
}


@pytest.fixture
def granted():
    os.makedirs(paths.definitions(), exist_ok=True)
    os.makedirs(paths.home("work"), exist_ok=True)
    Path(paths.settings("work")).write_text(SETTINGS)


@pytest.mark.parametrize("field", CAPABILITIES)
@pytest.mark.usefixtures("granted")
async def test_no_text_leaves_its_quotes_in_what_a_capability_asks_and_writes(field):
    ask, least = CAPABILITIES[field]
    shown = 0
    with AuditLog("work") as audit:
        for value in HOSTILE.values():
            desk = Desk(audit)
            await ask(desk, value)
            shown += any(map(check_question, desk.asked))
            await check_approvals(desk.asked)
    assert shown >= least
    check_audit(at_least=least)
