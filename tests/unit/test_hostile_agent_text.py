"""Every field of the agent that a box can fill, with the same hostile texts: none leaves its quotes anywhere."""

from collections.abc import Awaitable, Callable, Sequence

import asyncssh
import attrs
import pytest
from asyncssh.packet import Byte, String
from support.certificates import certificate
from support.conversation import StoredKeys, Talk, add, bind, remove, sign
from support.hostile import HOSTILE, check_approvals, check_audit, check_question, raw

from litterbox.agent import peer_command
from litterbox.agent.identities import Identity
from litterbox.agent.known_hosts import KnownHosts
from litterbox.audit import AuditLog

LAPTOP, MINE, HOST, HOP = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(4))
STORED = Identity("laptop", LAPTOP.public_data, b"me@host")


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


# Each field as what a client sends with the text in it, one request after the other on a new connection.


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
        monkeypatch.setattr(peer_command, "command_line", lambda _pid: talk.program)
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
