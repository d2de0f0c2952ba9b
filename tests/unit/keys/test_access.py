"""Store and password together, as `enter` and `delete` need them; Argon2id at its real cost."""

from pathlib import Path

import pytest

from litterbox import paths
from litterbox.errors import KeyStoreError, PasswordError, WrongPassword
from litterbox.keys import access, store
from litterbox.keys.records import Attachment, Store

WRITTEN_BY_RUST = Path(__file__).parent / "rust" / "written-by-rust.ron"


@pytest.fixture
def stored(sample, monkeypatch: pytest.MonkeyPatch) -> store.Unlocked:
    """The user's store, with the key "work" attached to "box"; the password comes from a command."""
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "echo pw")
    unlocked = access.unlock(access.Current(Store()))

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
    assert access.load().store.attached_to("box") == ()

    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "false")
    assert access.detach_box("box") == []


@pytest.fixture
def rust_store(own_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's store as the Rust Litterbox left it; each time its password is asked for adds a letter to a file."""
    own_root.mkdir()
    (own_root / "keys.ron").write_bytes(WRITTEN_BY_RUST.read_bytes())
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", f"sh -c 'printf x >> {tmp_path}/asked; echo correct horse'")
    return own_root / "keys.ron"


def test_a_store_of_rusts_is_converted_and_its_password_asked_for_once(
    rust_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    current = access.load()

    assert access.unlock(current).vault_key == store.unlock(store.load(str(rust_store)), b"correct horse")
    assert [key.name for key in current.store.keys] == ["laptop", "my-key", "old"]
    assert (tmp_path / "asked").read_text() == "x"
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        (
            f"litterbox: The key store {rust_store} is the Rust Litterbox's: it is being converted, which takes its "
            "password."
        ),
        "litterbox: The key 'my key' is called my-key now.",
        (
            f"litterbox: The key store is converted; the old one is kept as {rust_store}.v2-backup. Its password can "
            "be guessed much faster than the new one's: delete it when you have seen that your keys work."
        ),
    ]


def test_a_converted_store_is_one_like_any_other(rust_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = access.load()
    capsys.readouterr()

    assert access.load() == access.Current(first.store)
    assert capsys.readouterr().err == ""


def test_entering_a_box_converts_first(rust_store: Path, tmp_path: Path) -> None:
    vault_key = access.vault_key_for_box("work")

    assert vault_key == store.unlock(store.load(str(rust_store)), b"correct horse")
    assert (tmp_path / "asked").read_text() == "x"


def test_a_box_without_keys_converts_and_gets_none(rust_store: Path) -> None:
    assert access.vault_key_for_box("other") is None
    assert store.load(str(rust_store)).key("laptop")


def test_deleting_a_box_converts_first(rust_store: Path, tmp_path: Path) -> None:
    assert access.detach_box("work") == ["laptop", "my-key"]
    assert store.load(str(rust_store)).attached_to("work") == ()
    assert (tmp_path / "asked").read_text() == "x"


def test_a_wrong_password_leaves_a_store_of_rusts_alone(rust_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITTERBOX_PASSWORD_COMMAND", "echo wrong")

    with pytest.raises(WrongPassword):
        access.load()

    assert rust_store.read_bytes() == WRITTEN_BY_RUST.read_bytes()
    assert not (rust_store.parent / "keys.ron.v2-backup").exists()


def test_a_damaged_store_of_rusts_is_told_without_asking(rust_store: Path, tmp_path: Path) -> None:
    rust_store.write_bytes(WRITTEN_BY_RUST.read_bytes().replace(b"m=19456", b"m=99999999"))

    with pytest.raises(KeyStoreError, match="outside what Litterbox allows"):
        access.load()

    assert not (tmp_path / "asked").exists()
