"""The keys a box sees, with a real store on disk and real signatures."""

import functools
import os

import asyncssh
import attrs
import pytest
from asyncssh.packet import String
from support.workers import busy_workers

from litterbox import paths
from litterbox.agent.identities import Identity, SigningError
from litterbox.agent.private_keys import algorithm_name, fingerprint
from litterbox.agent.stored import StoreIdentities
from litterbox.errors import KeyStoreError
from litterbox.keys import store, vault
from litterbox.keys.records import Attachment, Cost, Store, StoredKey

VAULT_KEY = vault.new_vault_key()
QUICK = Cost(iterations=1, lanes=1, memory_kib=8)  # nobody opens this vault by its password here


@functools.cache
def private_key(kind: str = "ssh-ed25519", **options: int) -> asyncssh.SSHKey:
    return asyncssh.generate_private_key(kind, comment="me@host", **options)


def sealed(name: str, key: asyncssh.SSHKey, *boxes: str, **limits: object) -> StoredKey:
    return vault.seal(
        key.export_private_key("pkcs8-der"),
        VAULT_KEY,
        name=name,
        public_key=key.export_public_key().decode().strip(),
        attachments=tuple(Attachment(box, **limits) for box in boxes),
    )


def save(*keys: StoredKey) -> None:
    wrapped = vault.wrap(VAULT_KEY, b"password", cost=QUICK)
    store.change(paths.key_store(), lambda _before: Store(wrapped, keys))


def identities(vault_key: bytes | None = VAULT_KEY) -> StoreIdentities:
    return StoreIdentities.of_box("work", lambda: vault_key)


def names(seen: StoreIdentities) -> list[str]:
    return [identity.name for identity in seen.listed()]


def verifies(key: asyncssh.SSHKey, data: bytes, signature: bytes) -> bool:
    return key.convert_to_public().verify(data, signature)


def test_an_identity_tells_its_type_and_fingerprint():
    key = private_key()
    identity = Identity("github", key.public_data, b"me@host")
    assert identity.fingerprint == key.get_fingerprint()
    assert identity.algorithm == "ssh-ed25519"


@pytest.mark.parametrize("blob", [b"", b"\xff\xff\xff\xff", String(b"\xff"), b"hello"])
def test_a_blob_that_is_no_key_still_has_a_fingerprint_and_no_type(blob):
    assert algorithm_name(blob) == "unknown"
    assert fingerprint(blob).startswith("SHA256:")


def test_without_a_store_there_is_no_key():
    assert identities().listed() == []
    assert identities().find(b"anything") is None


def test_only_the_keys_attached_to_the_box_are_seen():
    ours, others = private_key(), private_key("ecdsa-sha2-nistp256")
    save(sealed("github", ours, "other", "work"), sealed("bank", others, "other"))
    seen = identities()
    assert [(key.name, key.public_blob, key.comment) for key in seen.listed()] == [
        ("github", ours.public_data, b"me@host")
    ]
    assert seen.find(ours.public_data).name == "github"
    assert seen.find(others.public_data) is None


def test_a_key_detached_is_gone_and_one_attached_is_there_at_the_next_call():
    key = private_key()
    seen = identities()
    save(sealed("github", key, "work"))
    assert names(seen) == ["github"]
    save(sealed("github", key))
    assert names(seen) == []
    save(sealed("github", key, "work"))
    assert names(seen) == ["github"]
    os.unlink(paths.key_store())
    assert names(seen) == []


def test_an_unchanged_store_is_not_read_again(monkeypatch):
    save(sealed("github", private_key(), "work"))
    seen = identities()
    assert names(seen) == ["github"]
    monkeypatch.setattr(store, "load", lambda _path: pytest.fail("read again"))
    assert names(seen) == ["github"]


def test_a_damaged_store_is_an_error_at_every_call_until_it_is_mended():
    save(sealed("github", private_key(), "work"))
    with open(paths.key_store(), "rb") as file:
        good = file.read()
    with open(paths.key_store(), "wb") as file:
        file.write(good[:-20])
    seen = identities()
    for _ in range(2):
        with pytest.raises(KeyStoreError, match="damaged"):
            seen.listed()
    with open(paths.key_store(), "wb") as file:
        file.write(good)
    assert names(seen) == ["github"]


def test_a_store_that_cannot_be_looked_at_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    seen = StoreIdentities.of_box("work", lambda: None, path=str(tmp_path / "file" / "keys.ron"))
    with pytest.raises(KeyStoreError):
        seen.listed()


def test_an_entry_changed_by_hand_is_left_out_and_named_in_the_log(caplog):
    good, bad = sealed("good", private_key(), "work"), sealed("bad", private_key("ecdsa-sha2-nistp256"))
    save(good, attrs.evolve(bad, attachments=(Attachment("work"),)))
    assert names(identities()) == ["good"]
    assert "'bad' is not as Litterbox sealed it" in caplog.text


async def test_an_entry_changed_by_hand_signs_nothing_when_the_key_comes_later(caplog):
    bad = private_key()
    save(attrs.evolve(sealed("bad", bad), attachments=(Attachment("work"),)))
    opens = [None]
    seen = StoreIdentities.of_box("work", lambda: opens[0])
    identity = seen.find(bad.public_data)
    opens[0] = VAULT_KEY
    with pytest.raises(SigningError, match="no longer offered"):
        await seen.sign(identity, b"data", 0)
    assert "'bad' is not as Litterbox sealed it" in caplog.text


def test_an_identity_has_the_limits_of_its_attachment():
    save(sealed("github", private_key(), "work", hosts=("github.com",), ask="never"))
    [identity] = identities().listed()
    assert (identity.hosts, identity.ask) == (("github.com",), "never")


def test_keys_by_name_have_no_limits_whatever_they_are_attached_to():
    save(sealed("github", private_key(), "work", hosts=("github.com",)), sealed("bank", private_key("ssh-rsa")))
    [identity] = StoreIdentities.named(["github"], lambda: VAULT_KEY).listed()
    assert (identity.name, identity.hosts, identity.ask) == ("github", (), "always")


def test_a_hidden_key_is_out_of_sight_until_it_is_attached_anew():
    key = private_key()
    save(sealed("github", key, "work"))
    seen = identities()
    seen.hide(key.public_data)
    seen.hide(b"no such key")
    assert names(seen) == []
    assert seen.find(key.public_data) is None
    save(sealed("github", key, "work"))
    assert names(seen) == ["github"]


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"])
@pytest.mark.parametrize("flags", [0, 2, 4])
async def test_signing_with_each_type_of_key(kind, flags):
    key = private_key(kind)
    save(sealed("github", key, "work"))
    seen = identities()
    signature = await seen.sign(seen.find(key.public_data), b"data", flags)
    assert signature.startswith(String(kind))
    assert verifies(key, b"data", signature)


@pytest.mark.parametrize(
    ("flags", "chosen"), [(0, b"ssh-rsa"), (2, b"rsa-sha2-256"), (4, b"rsa-sha2-512"), (6, b"rsa-sha2-256")]
)
async def test_the_flags_choose_the_hash_of_an_rsa_signature(flags, chosen):
    key = private_key("ssh-rsa", key_size=2048)
    save(sealed("github", key, "work"))
    seen = identities()
    signature = await seen.sign(seen.find(key.public_data), b"data", flags)
    assert signature.startswith(String(chosen))
    assert verifies(key, b"data", signature)


async def test_a_key_detached_after_it_was_found_signs_nothing():
    key = private_key()
    save(sealed("github", key, "work"))
    seen = identities()
    found = seen.find(key.public_data)
    save(sealed("github", key, "other"))
    with pytest.raises(SigningError, match="'github' is no longer offered by work"):
        await seen.sign(found, b"data", 0)


async def test_without_the_vault_key_keys_are_listed_and_sign_nothing():
    key = private_key()
    save(sealed("github", key, "work"))
    seen = identities(None)
    assert names(seen) == ["github"]
    with pytest.raises(SigningError, match="not given the password"):
        await seen.sign(seen.find(key.public_data), b"data", 0)


async def test_a_key_that_the_library_refuses_says_so(monkeypatch):
    key = private_key()
    save(sealed("github", key, "work"))
    seen = identities()
    monkeypatch.setattr(vault, "unseal", lambda _key, _vault_key: b"not a key")
    with pytest.raises(SigningError, match="'github' cannot sign this"):
        await seen.sign(seen.find(key.public_data), b"data", 0)


@pytest.mark.parametrize(("kind", "options"), [("ssh-ed25519", {}), ("ssh-rsa", {"key_size": 2048})])
async def test_a_stored_key_signs_while_what_clients_made_slow_waits(kind, options):
    key = private_key(kind, **options)
    save(sealed("github", key, "work"))
    seen = identities()
    async with busy_workers():
        signature = await seen.sign(seen.find(key.public_data), b"data", 2)
    assert verifies(key, b"data", signature)
