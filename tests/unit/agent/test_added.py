"""Keys that clients add: their order, their constraints, their end."""

import asyncssh
import attrs
import pytest
import trio
from asyncssh.packet import String, UInt32
from support.workers import busy_workers
from trio.testing import wait_all_tasks_blocked

from litterbox.agent.added import MAX_BYTES, AddedKeys, describe
from litterbox.agent.identities import SigningError
from litterbox.agent.private_keys import BadKey
from litterbox.agent.requests import AddIdentity, parse

ONE, TWO = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
RSA = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


def request(key: asyncssh.SSHKey = ONE, comment: str = "me", constraints: bytes = b"") -> AddIdentity:
    found = parse(25, String(key.algorithm) + key.encode_ssh_private() + String(comment) + constraints)
    assert isinstance(found, AddIdentity)
    return found


async def add(keys: AddedKeys, *arguments: object, **changes: object) -> None:
    asked = request(*arguments, **changes)
    keys.add(asked, await keys.load(asked.key))


def lasting(seconds: int) -> bytes:
    return b"\1" + UInt32(seconds)


@attrs.define
class Clock:
    time: float = 100.0

    def __call__(self) -> float:
        return self.time


def comments(keys: AddedKeys) -> list[bytes]:
    return [identity.comment for identity in keys.listed()]


async def test_keys_are_listed_in_the_order_in_which_they_came():
    keys = AddedKeys()
    await add(keys, ONE, "one")
    await add(keys, TWO, "two")
    assert comments(keys) == [b"one", b"two"]
    assert keys.find(TWO.public_data).name == "two"
    assert keys.find(b"another") is None


async def test_adding_again_replaces_comment_and_constraints_and_keeps_the_place():
    clock = Clock()
    keys = AddedKeys(now=clock)
    await add(keys, ONE, "one", lasting(10) + b"\2")
    await add(keys, TWO, "two")
    await add(keys, ONE, "again")
    assert comments(keys) == [b"again", b"two"]
    assert not keys.find(ONE.public_data).constraints.confirm
    clock.time += 1000
    assert comments(keys) == [b"again", b"two"]


async def test_a_lifetime_ends_for_everybody_who_looks():
    clock = Clock()
    keys = AddedKeys(now=clock)
    await add(keys, ONE, "short", lasting(10))
    await add(keys, TWO, "long", lasting(20))
    found = keys.find(ONE.public_data)
    clock.time += 10
    assert keys.find(ONE.public_data) is None
    assert comments(keys) == [b"long"]
    with pytest.raises(SigningError, match="gone"):
        await keys.sign(found, b"data", 0)
    clock.time += 10
    assert keys.clear() == 0


async def test_a_key_that_nobody_asks_for_is_dropped_when_its_lifetime_ends(autojump_clock):
    keys = AddedKeys(now=trio.current_time)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keys.expire)
        await wait_all_tasks_blocked()
        await add(keys, ONE, "one", lasting(5))
        await add(keys, TWO, "two", lasting(9))
        await trio.sleep(5.01)
        assert list(keys._keys) == [TWO.public_data]
        await trio.sleep(4)
        assert not keys._keys
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    "look",
    [
        lambda keys, identity: keys.listed() == [],
        lambda keys, identity: keys.find(identity.public_blob) is None,
        lambda keys, identity: not keys.remove(identity.public_blob),
        lambda keys, identity: keys.clear() == 0,
    ],
)
async def test_what_is_forgotten_is_gone_for_whoever_looks_first(look):
    keys = AddedKeys()
    await add(keys, ONE)
    identity = keys.find(ONE.public_data)
    keys.forget()
    assert look(keys, identity)


async def test_what_is_forgotten_signs_nothing_and_takes_no_room_and_what_comes_later_stays():
    keys = AddedKeys()
    await add(keys, ONE, "x" * 190_000, lasting(60))
    found = keys.find(ONE.public_data)
    keys.forget()
    with pytest.raises(SigningError, match="gone"):
        await keys.sign(found, b"data", 0)
    keys.forget()
    keys.check_room(request(TWO, "x" * 190_000))
    keys.forget()
    await add(keys, TWO, "later")
    assert comments(keys) == [b"later"]


async def test_removing_one_and_all():
    keys = AddedKeys()
    await add(keys, ONE)
    await add(keys, TWO)
    assert keys.remove(ONE.public_data)
    assert not keys.remove(ONE.public_data)
    assert keys.clear() == 1
    assert keys.listed() == []


@pytest.mark.parametrize(
    ("flags", "chosen"), [(0, b"ssh-rsa"), (2, b"rsa-sha2-256"), (4, b"rsa-sha2-512"), (6, b"rsa-sha2-256")]
)
async def test_the_flags_choose_the_hash_of_an_rsa_signature(flags, chosen):
    keys = AddedKeys()
    await add(keys, RSA)
    signature = await keys.sign(keys.find(RSA.public_data), b"data", flags)
    assert signature.startswith(String(chosen))
    assert RSA.convert_to_public().verify(b"data", signature)


async def test_a_certificate_is_a_key_of_its_own_beside_the_plain_one():
    certificate = TWO.generate_user_certificate(ONE, "me", principals=["me"])
    body = String(certificate.algorithm) + String(certificate.public_data) + ONE.encode_agent_cert_private()
    certified = parse(17, body + String("certified"))
    keys = AddedKeys()
    await add(keys, ONE, "plain")
    keys.add(certified, await keys.load(certified.key))
    assert comments(keys) == [b"plain", b"certified"]
    signature = await keys.sign(keys.find(certificate.public_data), b"data", 0)
    assert ONE.convert_to_public().verify(b"data", signature)
    assert keys.remove(ONE.public_data)
    assert comments(keys) == [b"certified"]


async def test_what_a_client_can_make_slow_waits_its_turn_and_the_rest_does_not():
    keys = AddedKeys()
    await add(keys, ONE)
    await add(keys, RSA)
    async with busy_workers():
        assert await keys.sign(keys.find(ONE.public_data), b"data", 0)
        for work in (
            lambda: keys.sign(keys.find(RSA.public_data), b"data", 2),
            lambda: keys.load(request(RSA).key),
            lambda: keys.load(request(TWO).key),
        ):
            with trio.move_on_after(0.05) as waited:
                await work()
            assert waited.cancelled_caught
        await trio.to_thread.run_sync(int)  # a thread of those that the daemon needs is free
    assert await keys.sign(keys.find(RSA.public_data), b"data", 2)


async def test_there_is_room_for_what_a_list_can_hold_and_no_more():
    keys = AddedKeys()
    await add(keys, ONE, "x" * 100_000)
    keys.check_room(request(TWO, "x" * 90_000))
    keys.check_room(request(ONE, "x" * 190_000))
    with pytest.raises(BadKey, match="one message"):
        keys.check_room(request(TWO, "x" * 100_000))


async def test_constraints_take_room_too():
    keys = AddedKeys()
    hop = String(String("") + String("a") + String("") + (String(TWO.public_data) + b"\0") * 1000)
    here = String(String("") * 3)
    limited = b"\xff" + String("restrict-destination-v00@openssh.com") + String(String(here + hop + String("")))
    while True:
        asked = request(asyncssh.generate_private_key("ssh-ed25519"), "", limited)
        if sum(added.size for added in keys._keys.values()) + len(asked.body) > MAX_BYTES:
            break
        keys.check_room(asked)
        keys.add(asked, await keys.load(asked.key))
    with pytest.raises(BadKey, match="4 MiB"):
        keys.check_room(asked)


def test_a_comment_that_is_not_utf_8_is_kept_and_shown_as_well_as_can_be():
    body = String(ONE.algorithm) + ONE.encode_ssh_private() + String(b"caf\xe9")
    identity = describe(parse(17, body))
    assert identity.comment == b"caf\xe9"
    assert identity.name == "caf\N{REPLACEMENT CHARACTER}"
