"""Store and password together, as `enter` and `delete` need them; Argon2id at its real cost."""

import pytest

from litterbox import paths
from litterbox.errors import PasswordError
from litterbox.keys import access, store
from litterbox.keys.records import Attachment, Store


@pytest.fixture
def stored(sample, monkeypatch: pytest.MonkeyPatch) -> store.Unlocked:
    """The user's store, with the key "work" attached to "box"; the password comes from a command."""
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "echo pw")
    unlocked = access.unlock(Store())

    def fill(now: Store, vault_key: bytes) -> Store:
        for key in sample.store.keys:
            private = sample.private_keys[key.name].export_private_key("pkcs8-der")
            now = store.add(now, vault_key, name=key.name, public_key=key.public_key, private_key=private)
        return store.attach(now, vault_key, "work", Attachment("box"))

    store.change_sealed(paths.key_store(), unlocked, fill)
    return unlocked


def test_a_box_with_keys_gets_the_vault_key_and_one_without_asks_nobody(
    stored: store.Unlocked, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert access.vault_key_for_box("box") == stored.vault_key

    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "false")
    assert access.vault_key_for_box("other") is None
    with pytest.raises(PasswordError):
        access.vault_key_for_box("box")


def test_a_box_that_is_deleted_loses_its_keys(stored: store.Unlocked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert access.detach_box("box") == ["work"]
    assert access.load().attached_to("box") == ()

    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "false")
    assert access.detach_box("box") == []
