"""Sealing: what was changed by hand does not open, and says which key it was."""

from collections.abc import Callable

import attrs
import pytest

from litterbox.errors import KeyStoreError, TamperedError, WrongPassword
from litterbox.keys import store, vault
from litterbox.keys.records import Attachment, Cost, Sealed, StoredKey, Vault


def attached(key: StoredKey, **changes: object) -> StoredKey:
    """The key with its only attachment changed by hand."""
    return attrs.evolve(key, attachments=(attrs.evolve(key.attachments[0], **changes),))


CHANGES_BY_HAND: dict[str, Callable[[StoredKey, StoredKey], StoredKey]] = {
    "name": lambda key, _: attrs.evolve(key, name="other"),
    "public key": lambda key, other: attrs.evolve(key, public_key=other.public_key),
    "comment": lambda key, _: attrs.evolve(key, public_key=key.public_key + "!"),
    "box": lambda key, _: attached(key, box="another"),
    "hosts": lambda key, _: attached(key, hosts=("*",)),
    "one host less": lambda key, _: attached(key, hosts=key.attachments[0].hosts[:1]),
    "hosts joined": lambda key, _: attached(key, hosts=("".join(key.attachments[0].hosts),)),
    "ask": lambda key, _: attached(key, ask="never"),
    "attachment removed": lambda key, _: attrs.evolve(key, attachments=()),
    "attachment added": lambda key, _: attrs.evolve(key, attachments=(*key.attachments, Attachment("b2"))),
    "sealed blob of another key": lambda key, other: attrs.evolve(key, sealed=other.sealed),
    "nonce": lambda key, _: attrs.evolve(key, sealed=Sealed(bytes(12), key.sealed.ciphertext)),
    "ciphertext": lambda key, _: attrs.evolve(key, sealed=Sealed(key.sealed.nonce, bytes(64))),
}


@pytest.mark.parametrize("what", CHANGES_BY_HAND)
def test_a_key_changed_by_hand_does_not_open_and_is_named(sample, what: str) -> None:
    key, other = sample.store.keys
    changed = CHANGES_BY_HAND[what](key, other)

    with pytest.raises(TamperedError) as refusal:
        vault.unseal(changed, sample.vault_key)

    assert repr(changed.name) in refusal.value.sentence


def test_an_edit_does_not_seal_what_was_changed_by_hand(sample) -> None:
    changed = attrs.evolve(sample.store, keys=(attached(sample.store.keys[0], ask="never"),))

    with pytest.raises(TamperedError):
        store.attach(changed, sample.vault_key, "work", Attachment("more"))
    with pytest.raises(TamperedError):
        store.detach(changed, sample.vault_key, "work", "box")
    with pytest.raises(TamperedError):
        store.attach(changed, sample.vault_key, "work", changed.keys[0].attachments[0])


def test_the_password_opens_the_vault_and_another_does_not(sample, any_cost) -> None:
    assert vault.unwrap(sample.store.vault, b"correct horse", bounds=any_cost) == sample.vault_key
    with pytest.raises(WrongPassword):
        vault.unwrap(sample.store.vault, b"correct horse ", bounds=any_cost)


@pytest.mark.parametrize(
    "cost",
    [Cost(2, 1, 8), Cost(1, 2, 16), Cost(1, 1, 9)],
    ids=["iterations", "lanes", "memory"],
)
def test_argon2_parameters_changed_within_bounds_do_not_open(sample, any_cost, cost: Cost) -> None:
    doctored: Vault = attrs.evolve(sample.store.vault, cost=cost)

    with pytest.raises(WrongPassword):
        vault.unwrap(doctored, b"correct horse", bounds=any_cost)


@pytest.mark.parametrize(
    "cost",
    [
        Cost(2, 4, 65536),
        Cost(3, 3, 65536),
        Cost(3, 4, 65535),
        Cost(11, 4, 65536),
        Cost(3, 17, 65536),
        Cost(3, 4, 2**21),
        Cost(2**70, 4, 65536),
        Cost(-1, 4, 65536),
    ],
    ids=str,
)
def test_argon2_parameters_out_of_bounds_are_refused_before_any_work(sample, cost: Cost) -> None:
    doctored = attrs.evolve(sample.store.vault, cost=cost)

    with pytest.raises(KeyStoreError, match="Argon2id parameters"):
        vault.unwrap(doctored, b"correct horse")


def test_the_recommended_parameters_are_those_of_rfc_9106_and_allowed() -> None:
    assert attrs.astuple(vault.RECOMMENDED) == (3, 4, 65536)
    assert vault.PRODUCTION.allow(vault.RECOMMENDED)


def test_every_sealing_has_its_own_nonce(sample) -> None:
    key = sample.store.keys[0]

    again = vault.reseal(key, sample.vault_key, key.attachments)

    assert again.sealed.nonce != key.sealed.nonce
    assert again.sealed.ciphertext != key.sealed.ciphertext


def test_no_secret_shows_in_a_repr_or_an_error(sample, cheap, any_cost) -> None:
    unlocked = store.unlock_for_changes(sample.store, sample.password, cost=cheap, bounds=any_cost)
    with pytest.raises(WrongPassword) as refusal:
        vault.unwrap(sample.store.vault, b"hunter2", bounds=any_cost)

    shown = f"{unlocked!r} {sample.store!r} {refusal.value!r} {refusal.value.hint}"
    for secret in (sample.password, b"hunter2", sample.vault_key):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
