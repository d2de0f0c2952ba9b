"""Every field that a box can fill, filled with the same hostile texts: none leaves its quotes, in a window or a log."""

import json
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import asyncssh
import attrs
import pytest
from asyncssh.packet import Byte, String
from click.testing import CliRunner
from support.certificates import certificate
from support.conversation import StoredKeys, Talk, add, bind, read_audit, remove, sign
from support.hostile import HOSTILE, check

from litterbox import paths
from litterbox.agent import requester
from litterbox.agent.identities import Identity
from litterbox.agent.known_hosts import KnownHosts
from litterbox.audit import AuditLog
from litterbox.capabilities.client import Client
from litterbox.capabilities.clipboard import Clipboard
from litterbox.capabilities.host_exec.commands import HostCommands
from litterbox.capabilities.notify import Notifications
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.xdg_open import Links
from litterbox.cli import audit as cli_audit
from litterbox.confirm.question import LINE, MOST_LINES, Answer, Question, text
from litterbox.confirm.queue import open_dialog_queue
from litterbox.confirm.visible import columns
from litterbox.daemon.requests import Requests
from litterbox_guest.messages import ClipboardGet, ClipboardSet, HostExec, Notify, XdgOpen

LAPTOP, MINE, HOST, HOP = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(4))
STORED = Identity("laptop", LAPTOP.public_data, b"me@host")
INDENT, LEFT_TO_RIGHT = "    ", "\N{LEFT-TO-RIGHT MARK}"


def raw(value: str) -> bytes:
    """As a box sends it: its surrogates as bytes that are not UTF-8."""
    return value.encode("utf-8", "surrogatepass")


def login(
    user: bytes = b"git",
    *,
    service: bytes = b"ssh-connection",
    method: bytes = b"publickey",
    algorithm: bytes | None = None,
    key: bytes = LAPTOP.public_data,
) -> bytes:
    kind = key[4 : 4 + key[3]]
    fields = [String(b"s" * 32), Byte(50), String(user), String(service), String(method), Byte(1)]
    return b"".join([*fields, String(kind if algorithm is None else algorithm), String(key)])


def sshsig(namespace: bytes) -> bytes:
    return b"SSHSIG" + String(namespace) + String("") + String("sha512") + String(b"d" * 64)


def restricted(*, user: bytes = b"", host: bytes = b"alpha.test", start: bytes = b"") -> bytes:
    """The constraint of `ssh-add -h`, with these names."""
    key = String(HOST.public_data) + b"\0"
    hops = [String("") + String(start) + String("") + (key if start else b"")]
    hops.append(String(user) + String(host) + String("") + key)
    return b"\xff" + String("restrict-destination-v00@openssh.com") + String(String(b"".join(map(String, [*hops, ""]))))


# The agent: each field as what a client sends with the text in it, one request after the other on a new connection.


@attrs.frozen
class Field:
    """`ask` sends the text. A question `shows` it, or only the audit log has it."""

    ask: Callable[[Talk, str], Awaitable[None]]
    shows: bool = True


async def send(talk: Talk, *messages: bytes) -> None:
    talk.added.clear()
    ask = talk.connect()
    for message in messages:
        await ask(message)


def signing(data: Callable[[bytes], bytes], *before: bytes, shows: bool = True) -> Field:
    async def ask(talk: Talk, value: str) -> None:
        await send(talk, *before, sign(LAPTOP.public_data, data(raw(value))))

    return Field(ask, shows)


def adding(
    *, constraints: Callable[[bytes], bytes] = lambda _value: b"", after: bytes = b"", comment: bool = True
) -> Field:
    async def ask(talk: Talk, value: str) -> None:
        message = add(MINE, raw(value) if comment else "mine", constraints(raw(value)))
        await send(talk, message, *([after] if after else []))

    return Field(ask)


def claiming(*before: bytes) -> Field:
    async def ask(talk: Talk, value: str) -> None:
        async def claims(host_keys: Sequence[bytes]) -> dict[bytes, tuple[str, ...]]:
            return dict.fromkeys(host_keys, (value,))

        talk.claims = claims
        await send(talk, *before, sign(LAPTOP.public_data, login()))

    return Field(ask)


async def run_as(talk: Talk, value: str) -> None:
    talk.program = value
    await send(talk, sign(LAPTOP.public_data, login()))


FORWARDED = bind(HOP, b"f" * 32, forwarding=True)
BIND = Byte(27) + String("session-bind@openssh.com")
AGENT = {
    "user": signing(login),
    "user, server proven": signing(login, bind(HOST)),
    "namespace": signing(sshsig),
    "namespace, forwarded": signing(sshsig, FORWARDED),
    "service": signing(lambda value: login(service=value), shows=False),
    "method": signing(lambda value: login(method=value), shows=False),
    "algorithm": signing(lambda value: login(algorithm=value), shows=False),
    "certificate's name": signing(lambda value: login(key=certificate(LAPTOP.public_data, key_id=value)), bind(HOST)),
    "certificate's principal": signing(
        lambda value: login(key=certificate(LAPTOP.public_data, principals=(value, "x")))
    ),
    "comment of a key that is added": adding(),
    "comment of a key that signs": adding(after=sign(MINE.public_data, sshsig(b"git"))),
    "comment of a key that is removed": adding(after=remove(MINE.public_data)),
    "host of ssh-add -h": adding(constraints=lambda value: restricted(host=value), comment=False),
    "user of ssh-add -h": adding(constraints=lambda value: restricted(user=value), comment=False),
    "hop of ssh-add -h": adding(constraints=lambda value: restricted(start=value), comment=False),
    "name of the server, by the box": claiming(bind(HOST)),
    "name of a hop, by the box": claiming(FORWARDED, bind(HOST)),
    "program": Field(run_as),
    "extension": Field(lambda talk, value: send(talk, Byte(27) + String(raw(value))), shows=False),
    "type of a host key": Field(
        lambda talk, value: send(talk, BIND + String(String(raw(value))) + String("s" * 32) + String("") + b"\0"),
        shows=False,
    ),
}


@pytest.fixture
def talk(monkeypatch, tmp_path):
    (tmp_path / "known_hosts").write_text("")
    with AuditLog("work") as audit:
        talk = Talk(audit, StoredKeys({STORED: LAPTOP}), known_hosts=KnownHosts([str(tmp_path / "known_hosts")]))
        monkeypatch.setattr(requester, "claim", lambda _pid: talk.program)
        yield talk


@pytest.mark.parametrize("field", AGENT)
async def test_no_text_leaves_its_quotes_in_what_the_agent_asks_and_writes(talk, field):
    shown = 0
    for value in HOSTILE.values():
        await AGENT[field].ask(talk, value)
        shown += any(map(check_question, talk.asked))
        await check_approvals(talk.asked)
        talk.asked.clear()
    assert (shown > len(HOSTILE) * 0.7) if AGENT[field].shows else not shown
    check_audit(at_least=len(HOSTILE))


# The capabilities.


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
        return Client(peer=77, features=frozenset(), send=self._send, receive=None)

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

    async def _send(self, _frame: bytes) -> None:
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


# What must be true of what is shown.


def check_question(question: Question) -> bool:
    """Check its window; returns whether it shows a text between quotes of ours."""
    window = text(question)
    lines = [line.replace(LEFT_TO_RIGHT, "") for line in window.split("\n")]
    assert len(lines) <= MOST_LINES
    assert all(columns(line) <= LINE for line in lines)
    assert not any(line.endswith("\\") and not line.endswith("\\\\") for line in lines)
    unfolded = "\n".join(lines).replace(f"\n{INDENT}", "").split("\n")
    for line in unfolded[1:]:  # the first names the box
        check(line)
    labels = [line.split(":")[0] for line in unfolded[2:] if line]
    assert labels == [label for label, _words in question.fields + question.claims]
    return '"' in "".join(unfolded[1:])


async def check_approvals(asked: list[Question]) -> None:
    """Check the rows of `litterbox approvals`, had each question been approved for the session."""

    async def yes(_question: Question) -> Answer:
        return Answer.APPROVED_SESSION

    async with open_dialog_queue(yes) as queue:
        for question in asked:
            if question.approval is not None:
                await queue.ask(question)
        told = await Requests(
            "work",
            vault_key=None,
            stop=None,
            displays=None,
            container=None,
            watcher=None,
            dialogs=queue,
            settings_changed=None,
        ).handlers()["approvals"]({})
    for row in json.loads(told["approvals"]):
        for word in row:
            check(word)


def check_audit(*, at_least: int) -> None:
    """Check the log's values, and its lines as `litterbox audit` prints them."""
    lines = read_audit(paths.audit_log("work"))
    assert len(lines) >= at_least
    for line in lines:
        for value in (line["what"], *line["detail"].values()):
            check(str(value))
    printed = CliRunner().invoke(cli_audit.command, ["work"]).stdout.splitlines()
    assert len(printed) == len(lines) + 1
    for row in printed[1:]:
        check(" ".join(row.split()))
