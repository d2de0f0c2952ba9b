"""A small store with two keys, made with an Argon2id so cheap that a unit test does not notice it."""

import asyncssh
import attrs
import pytest

from litterbox.keys import formats, store, vault
from litterbox.keys.records import Attachment, Cost, Store

CHEAP = Cost(iterations=1, lanes=1, memory_kib=8)
ANY_COST = vault.Bounds(lowest=CHEAP, highest=vault.PRODUCTION.highest)


@attrs.frozen
class Sample:
    """A store of two keys, "work" and "play", its password and vault key, and the private keys that went in."""

    store: Store
    password: bytes
    vault_key: bytes
    private_keys: dict[str, asyncssh.SSHKey]


@pytest.fixture
def cheap() -> Cost:
    return CHEAP


@pytest.fixture
def any_cost() -> vault.Bounds:
    return ANY_COST


@pytest.fixture
def sample() -> Sample:
    vault_key = vault.new_vault_key()
    made = Store(vault.wrap(vault_key, b"correct horse", cost=CHEAP))
    private_keys = {name: formats.generate("ed25519") for name in ("work", "play")}
    for name, key in private_keys.items():
        made = store.add(
            made,
            vault_key,
            name=name,
            public_key=formats.public_line(key, f"{name} comment"),
            private_key=formats.private_bytes(key),
        )
    attachment = Attachment("box", hosts=("github.com", "*.example.org"), ask="once")
    made = store.attach(made, vault_key, "work", attachment)
    return Sample(made, b"correct horse", vault_key, private_keys)
