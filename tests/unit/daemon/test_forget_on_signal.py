"""SIGUSR1 and the keys that clients added: gone before anybody looks, and also where nobody does."""

import os
import signal

import asyncssh
from asyncssh.packet import String
from trio import open_nursery
from trio.testing import wait_all_tasks_blocked

from litterbox.agent.added import AddedKeys
from litterbox.agent.requests import parse
from litterbox.daemon.serve import forget_on_signal

KEY = asyncssh.generate_private_key("ssh-ed25519")


async def with_a_key() -> AddedKeys:
    keys = AddedKeys()
    asked = parse(17, String(KEY.algorithm) + KEY.encode_ssh_private() + String("mine"))
    keys.add(asked, await keys.load(asked.key))
    return keys


async def test_the_keys_are_gone_before_any_task_has_its_turn():
    keys = await with_a_key()
    async with open_nursery() as nursery:
        await nursery.start(forget_on_signal, keys)
        assert len(keys.listed()) == 1
        os.kill(os.getpid(), signal.SIGUSR1)
        assert keys.listed() == []
        nursery.cancel_scope.cancel()


async def test_the_keys_are_gone_from_memory_where_nobody_looks():
    keys = await with_a_key()
    async with open_nursery() as nursery:
        await nursery.start(forget_on_signal, keys)
        os.kill(os.getpid(), signal.SIGUSR1)
        await wait_all_tasks_blocked()
        assert not keys._keys
        nursery.cancel_scope.cancel()


async def test_the_signal_is_as_before_when_the_agent_has_ended():
    before = signal.getsignal(signal.SIGUSR1)
    async with open_nursery() as nursery:
        await nursery.start(forget_on_signal, AddedKeys())
        assert signal.getsignal(signal.SIGUSR1) is not before
        nursery.cancel_scope.cancel()
    assert signal.getsignal(signal.SIGUSR1) is before
