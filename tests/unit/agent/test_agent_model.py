"""Long sequences of requests, random but repeatable, against a model of what an agent is."""

import random

import asyncssh
import attrs
import pytest
from asyncssh.packet import Byte, String
from support.conversation import FAILURE, LIST, REMOVE_ALL, SUCCESS, Talk, add, bind, listed, lock, remove, sign, unlock

from litterbox.agent.protocol import FramingError
from litterbox.audit import AuditLog

KEYS = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(4)]
STEPS = 150


@attrs.define
class Model:
    """An agent as anybody would think of it: keys with comments in order, and perhaps a passphrase."""

    keys: dict[bytes, bytes] = attrs.field(factory=dict)
    passphrase: bytes | None = None

    def add(self, blob: bytes, comment: bytes) -> bool:
        if self.passphrase is not None:
            return False
        self.keys[blob] = comment
        return True

    def remove(self, blob: bytes) -> bool:
        return self.passphrase is None and self.keys.pop(blob, None) is not None

    def clear(self) -> bool:
        if self.passphrase is None:
            self.keys.clear()
        return self.passphrase is None

    def listed(self) -> list[tuple[bytes, bytes]]:
        return [] if self.passphrase is not None else list(self.keys.items())

    def lock(self, passphrase: bytes) -> bool:
        if self.passphrase is not None:
            return False
        self.passphrase = passphrase
        return True

    def unlock(self, passphrase: bytes) -> bool:
        if self.passphrase is None or self.passphrase != passphrase:
            return False
        self.passphrase = None
        return True


def word(yes: bool) -> bytes:
    return SUCCESS if yes else FAILURE


@pytest.mark.parametrize("seed", range(6))
async def test_the_agent_does_what_the_model_does(seed, autojump_clock):
    chance = random.Random(seed)
    model = Model()
    with AuditLog("work") as audit:
        talk = Talk(audit, approve="all")
        connections = [talk.connect() for _ in range(3)]
        for _ in range(STEPS):
            ask, key, text = chance.choice(connections), chance.choice(KEYS), chance.choice([b"a", b"b"])
            blob = key.public_data
            match chance.choice(["add", "add", "remove", "list", "list", "sign", "clear", "lock", "unlock", "unlock"]):
                case "add":
                    assert await ask(add(key, text.decode())) == word(model.add(blob, text))
                case "remove":
                    assert await ask(remove(blob)) == word(model.remove(blob))
                case "clear":
                    assert await ask(REMOVE_ALL) == word(model.clear())
                case "list":
                    assert listed(await ask(LIST)) == model.listed()
                case "sign":
                    answer = await ask(sign(blob, text))
                    if blob in dict(model.listed()):
                        assert key.convert_to_public().verify(text, answer[5:])
                    else:
                        assert answer == FAILURE
                case "lock":
                    assert await ask(lock(text)) == word(model.lock(text))
                case "unlock":
                    assert await ask(unlock(text)) == word(model.unlock(text))


HOST = asyncssh.generate_private_key("ssh-ed25519")
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
VALID = [
    LIST,
    REMOVE_ALL,
    add(KEYS[0]),
    add(RSA),
    add(KEYS[1], constraints=b"\1\0\0\0\x05\2"),
    add(KEYS[2], constraints=b"\xff" + String("restrict-destination-v00@openssh.com") + String(b"")),
    remove(KEYS[0].public_data),
    sign(KEYS[0].public_data),
    sign(RSA.public_data, flags=4),
    lock(b"p"),
    unlock(b"p"),
    bind(HOST),
    bind(HOST, forwarding=True),
    Byte(27) + String("query"),
    Byte(20) + String("reader") + String("pin"),
]
ANSWERS = {5, 6, 12, 14, 28, 29}


def mutated(message: bytes, chance: random.Random) -> bytes:
    content = bytearray(message)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0 if at < len(content):
                content[at] = chance.randrange(256)
            case 1:
                content[at:at] = chance.randbytes(chance.randint(1, 5))
            case 2:
                del content[at : at + chance.randint(1, 5)]
            case 3:
                del content[max(at, 1) :]
    return bytes(content)


@pytest.mark.parametrize("seed", range(4))
async def test_every_message_however_damaged_has_one_answer_of_a_known_type(seed, autojump_clock):
    chance = random.Random(seed)
    with AuditLog("work") as audit:
        talk = Talk(audit, approve="all")
        ask = talk.connect()
        for _ in range(400):
            message = mutated(chance.choice(VALID), chance)
            try:
                answer = await ask(message)
            except FramingError:
                assert message == b""
                continue
            assert answer[0] in ANSWERS
            if chance.randrange(20) == 0:
                ask = talk.connect()
