"""The same requests, valid and damaged, to OpenSSH's agent and to ours: the same answers, but for what is listed."""

import random
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import asyncssh
import pytest
from asyncssh.packet import Byte, PacketDecodeError, SSHPacket, String, UInt32
from support.conversation import LIST, QUERY, REMOVE_ALL, add, bind, lock, remove, sign, unlock

ED25519, OTHER, HOST = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(3))
ECDSA = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
CERTIFICATE = OTHER.generate_user_certificate(ED25519, "me", principals=["me"])
EXTENSION = Byte(27)


def add_certified() -> bytes:
    body = String(CERTIFICATE.algorithm) + String(CERTIFICATE.public_data) + ED25519.encode_agent_cert_private()
    return Byte(17) + body + String("certified")


def restricted(host: asyncssh.SSHKey = HOST) -> bytes:
    nowhere = String(String("") + String("") + String(""))
    there = String(String("") + String("h") + String("") + String(host.public_data) + b"\0")
    return b"\xff" + String("restrict-destination-v00@openssh.com") + String(String(nowhere + there + String("")))


class Agent:
    """One agent's socket, connected to anew whenever it closes a connection."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.connection = self._connect()

    def ask(self, message: bytes) -> bytes | None:
        """The answer to one message, None where the connection was closed instead."""
        try:
            self.connection.sendall(String(message))
            length = int.from_bytes(self._exactly(4), "big")
            return self._exactly(length)
        except (EOFError, ConnectionError):
            self.anew()
            return None

    def anew(self) -> None:
        self.connection.close()
        self.connection = self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(30)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            piece = self.connection.recv(count - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got


@contextmanager
def serving(*command: str, path: str):
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        agent = None
        try:
            agent = _connected(process, path)
            yield agent
        finally:
            if agent is not None:
                agent.connection.close()
            process.terminate()


def _connected(process: subprocess.Popen[bytes], path: str) -> Agent:
    """A connection to an agent that is starting: its socket can be there before it listens."""
    while True:
        try:
            return Agent(path)
        except (FileNotFoundError, ConnectionRefusedError):
            assert process.poll() is None
            time.sleep(0.02)


@pytest.fixture
def agents(tmp_path, monkeypatch):
    """OpenSSH's agent and ours, both empty."""
    monkeypatch.setenv("LITTERBOX_ROOT", str(tmp_path / "Litterbox"))
    theirs, ours = str(tmp_path / "theirs"), str(tmp_path / "ours")
    litterbox = [sys.executable, "-m", "litterbox", "agent", "--approve", "all", "--socket", ours]
    with serving("ssh-agent", "-D", "-a", theirs, path=theirs) as openssh, serving(*litterbox, path=ours) as own:
        yield openssh, own


SEQUENCES = {
    "list": [LIST, LIST + b"more"],
    "every type": [
        *(add(key, str(n)) for n, key in enumerate((ED25519, ECDSA, RSA))),
        add_certified(),
        LIST,
        *(sign(key.public_data, flags=flags) for key in (ED25519, ECDSA, RSA) for flags in (0, 1, 2, 4, 6, 8, 255)),
        sign(CERTIFICATE.public_data),
        sign(ED25519.public_data) + b"more",
        sign(ED25519.public_data, b""),
        sign(RSA.public_data, b"x" * 200_000, 4),
    ],
    "adding again": [add(ED25519, "a"), add(ECDSA, "b"), add(ED25519, "c"), LIST],
    "comments": [add(ED25519, "\N{SNOWMAN}" * 1000), LIST, add(ED25519, ""), LIST],
    "removing": [
        *(add(ED25519), add_certified(), remove(CERTIFICATE.public_data), LIST),
        *(remove(CERTIFICATE.public_data), remove(b""), remove(ED25519.public_data), LIST, REMOVE_ALL, REMOVE_ALL),
    ],
    "constraints": [
        add(ED25519, constraints=b"\1" + UInt32(1000)),
        add(ECDSA, constraints=b"\2"),
        LIST,
        add(RSA, constraints=b"\1"),
        add(RSA, constraints=b"\1" + UInt32(5) + b"\1" + UInt32(5)),
        add(RSA, constraints=b"\2\2"),
        add(RSA, constraints=b"\7"),
        add(RSA, constraints=b"\xff" + String("unknown@example.org")),
        LIST,
    ],
    "constraints on a plain add": [Byte(17) + add(ED25519, constraints=b"\1" + UInt32(60))[1:], LIST],
    "destinations": [
        add(ED25519, constraints=restricted()),
        *(LIST, sign(ED25519.public_data), bind(OTHER), LIST, remove(ED25519.public_data), add(ED25519)),
        *(sign(ED25519.public_data), REMOVE_ALL, LIST),
    ],
    "destinations at the host": [
        *(add(ED25519, constraints=restricted()), bind(HOST), LIST, sign(ED25519.public_data)),
        *(remove(ED25519.public_data), LIST),
    ],
    "destinations beyond the host": [add(ED25519, constraints=restricted()), bind(HOST, forwarding=True), LIST],
    "locking": [
        *(add(ED25519), unlock(b"x"), lock(b"secret"), LIST, sign(ED25519.public_data), add(RSA), remove(b"")),
        *(REMOVE_ALL, lock(b"other"), unlock(b"other"), unlock(b""), unlock(b"secret"), LIST, unlock(b"secret")),
        *(lock(b""), LIST, unlock(b""), LIST),
    ],
    "bindings": [
        *(bind(HOST), bind(HOST), bind(OTHER, b"t" * 32), bind(OTHER, forwarding=True)),
        bind(HOST).replace(b"s" * 32, b"x" * 32),
    ],
    "hops": [
        *(bind(HOST, forwarding=True), bind(HOST, forwarding=True), bind(OTHER, forwarding=True)),
        *(bind(OTHER, b"t" * 32, forwarding=True), bind(HOST, b"u" * 32), bind(HOST, b"v" * 32)),
    ],
    "seventeen hops": [bind(HOST, bytes([n]) * 32, forwarding=True) for n in range(17)],
    "long session ids": [bind(HOST, b"s" * 128)],
    "smartcards": [
        Byte(20) + String("/usr/lib/none.so") + String("1234"),
        Byte(21) + String("/usr/lib/none.so") + String("1234"),
        Byte(26) + String("/usr/lib/none.so") + String("1234") + b"\2",
    ],
    "version 1 and unknown numbers": [Byte(number) for number in (1, 3, 7, 8, 9, 24, 99, 200, 255)],
    "extensions": [
        EXTENSION + String("unknown@example.org"),
        EXTENSION,
        EXTENSION + String("session-bind@openssh.com"),
    ],
    "cut short": [Byte(number) for number in (13, 17, 18, 25, 27)],  # 22 and 23 would end OpenSSH's agent
    "too much": [b"\x0b" + b"x" * (256 * 1024 - 1), b"\x0b" + b"x" * (256 * 1024)],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_both_answer_the_same(agents, name):
    theirs, ours = agents
    for message in SEQUENCES[name]:
        compare(message, theirs.ask(message), ours.ask(message))


def test_query_is_answered_as_the_rfc_says(agents):
    """OpenSSH 9 does not know it; a newer one answers as we do."""
    theirs, ours = (agent.ask(QUERY) for agent in agents)
    assert ours == Byte(29) + String("query") + String("query") + String("session-bind@openssh.com")
    assert theirs[0] in (5, 29)


def compare(message: bytes, theirs: bytes | None, ours: bytes | None) -> None:
    said = f"{message[:600].hex()} ({len(message)} bytes): OpenSSH {shown(theirs)}, Litterbox {shown(ours)}"
    if theirs is None or ours is None:
        assert theirs == ours, said
        return
    kind = theirs[0]
    if message[:1] == EXTENSION and ours[0] == 28:
        kind = 28 if kind == 5 else kind  # RFC 9987 section 5.9; OpenSSH 9 says failure for failed extensions too
    assert ours[0] == kind, said
    if kind == 12:
        assert ours == theirs, said
    if kind == 14:
        _check_signature(message, ours, theirs)


def shown(answer: bytes | None) -> str:
    return "closed" if answer is None else f"{answer[0]} ({len(answer)} bytes)"


def _check_signature(message: bytes, ours: bytes, theirs: bytes) -> None:
    packet = SSHPacket(message[1:])
    blob, data = packet.get_string(), packet.get_string()
    keys = {key.public_data: key for key in (ED25519, OTHER, ECDSA, RSA)}
    key = keys.get(blob, ED25519).convert_to_public()
    for answer in (ours, theirs):
        assert key.verify(data, SSHPacket(answer[1:]).get_string())
    if key.algorithm != ECDSA.algorithm:
        assert ours == theirs


VALID = [message for sequence in SEQUENCES.values() for message in sequence if message and len(message) < 10_000]


def damaged(message: bytes, chance: random.Random) -> bytes:
    content = bytearray(message)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(1, len(content) + 1)
        match chance.randrange(3):
            case 0 if at < len(content):
                content[at] = chance.choice([0, 1, 255, chance.randrange(256)])
            case 1:
                content[at:at] = chance.randbytes(chance.randint(1, 4))
            case _:
                del content[at : at + chance.randint(1, 4)]
    return bytes(content)


def is_excused(message: bytes, theirs: bytes | None, ours: bytes | None) -> bool:
    """The differences that are decisions: ours refuses what OpenSSH takes on trust.

    A private key must belong to its public half; a certificate must be one that we understand; a session id has at most
    128 bytes, which OpenSSH 9 has it and 10 no longer asks for.
    """
    if theirs != b"\6":
        return False
    return (message[0] in (17, 25) and ours == b"\5") or (b"s" * 128 in message and ours == b"\x1c")


def begin_anew(agent: Agent) -> None:
    """A connection that is not bound, and keys that are whole: a damaged one may have taken the place of its like."""
    agent.anew()
    agent.ask(REMOVE_ALL)
    for message in (add(ED25519), add(ECDSA), add(RSA), add_certified()):
        assert agent.ask(message) == b"\6"


@pytest.mark.parametrize("seed", range(3))
def test_both_answer_damaged_requests_alike(agents, seed):
    theirs, ours = agents
    chance = random.Random(seed)
    excused = 0
    for number in range(500):
        message = damaged(chance.choice(VALID), chance)
        if message[0] in (9, 22, 23):
            # The first removes every key in OpenSSH; here only those of version 1, which nobody has: `ssh-add -D` sends
            # it after the real one, and a person would be asked twice. A damaged lock may lock with another passphrase.
            continue
        answers = theirs.ask(message), ours.ask(message)
        if is_excused(message, *answers):
            excused += 1
        else:
            compare(message, *answers)
        if message[0] in (17, 25) or is_excused(message, *answers) or number % 25 == 0:
            for agent in agents:
                begin_anew(agent)
    assert excused < 100


def test_the_parser_of_these_tests_reads_what_agents_send(agents):
    for agent in agents:
        assert agent.ask(add(ED25519)) == b"\6"
        packet = SSHPacket(agent.ask(LIST)[1:])
        assert packet.get_uint32() == 1
        assert packet.get_string() == ED25519.public_data
        with pytest.raises(PacketDecodeError):
            SSHPacket(b"").get_string()
