"""The store's file: edits, what a failure leaves behind, and commands that meet."""

import multiprocessing
import os
import resource
import stat
from pathlib import Path

import attrs
import pytest

from litterbox.errors import HostError, IdentityError, KeyStoreError, TamperedError, UsageError, WrongPassword
from litterbox.keys import document, formats, store, vault
from litterbox.keys.records import Attachment, Sealed, Store


@pytest.fixture
def path(tmp_path: Path, sample) -> str:
    """A keys.ron on disk with the sample store in it."""
    path = str(tmp_path / "Litterbox" / "keys.ron")
    store.change(path, lambda _: sample.store)
    return path


def unlocked(sample) -> store.Unlocked:
    return store.Unlocked(sample.password, sample.store.vault, sample.vault_key)


def test_a_missing_file_is_an_empty_store(tmp_path: Path) -> None:
    assert store.load(str(tmp_path / "keys.ron")) == Store()


def test_the_file_is_the_users_alone(path: str, sample) -> None:
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert store.load(path) == sample.store


def test_the_public_part_needs_no_password(path: str, sample) -> None:
    key = store.find(store.load(path), "work")

    assert key.public_key == formats.public_line(sample.private_keys["work"], "work comment")
    assert [key.name for key in store.load(path).attached_to("box")] == ["work"]
    assert store.load(path).attached_to("other") == ()


def test_no_private_key_lies_open_in_the_file(path: str, sample) -> None:
    content = Path(path).read_bytes()

    for key in sample.private_keys.values():
        secret = key.pyca_key.private_bytes_raw()
        assert secret not in content
        assert formats.private_bytes(key) not in content


def test_a_key_opens_to_what_went_in(sample, any_cost) -> None:
    vault_key = store.unlock(sample.store, sample.password, bounds=any_cost)

    opened = formats.open_private_key(store.find(sample.store, "play"), vault_key)

    assert opened == sample.private_keys["play"]
    assert opened.get_comment() == "play comment"


def test_unlocking_wants_a_store(sample) -> None:
    with pytest.raises(KeyStoreError, match="There is no key store yet"):
        store.unlock(Store(), b"x")


def test_names_and_keys_are_stored_once(sample) -> None:
    line = formats.public_line(sample.private_keys["work"], "other comment")

    with pytest.raises(IdentityError, match="There is a key called 'work' already"):
        store.check_new(sample.store, "work")
    with pytest.raises(IdentityError, match="it is called 'work'"):
        store.add(sample.store, sample.vault_key, name="new", public_key=line, private_key=b"")


def test_an_unknown_key_is_named_beside_those_there_are(sample) -> None:
    with pytest.raises(IdentityError) as refusal:
        store.find(sample.store, "wrok")

    assert refusal.value.sentence == "There is no key called 'wrok'."
    assert refusal.value.hint == "Stored are: work, play."


def test_attaching_and_detaching_seal_anew_and_come_back_the_same(sample) -> None:
    attached = store.attach(sample.store, sample.vault_key, "play", Attachment("box"))
    assert [key.name for key in attached.attached_to("box")] == ["work", "play"]
    assert formats.open_private_key(attached.keys[1], sample.vault_key) == sample.private_keys["play"]

    detached = store.detach(attached, sample.vault_key, "play", "box")
    assert detached.keys[1].attachments == ()
    assert formats.open_private_key(detached.keys[1], sample.vault_key) == sample.private_keys["play"]


def test_no_store_is_made_that_lets_a_key_be_used_anywhere_unseen(sample) -> None:
    with pytest.raises(UsageError, match="must say for which hosts"):
        store.attach(sample.store, sample.vault_key, "play", Attachment("box", ask="never"))


def test_what_is_so_already_changes_nothing(sample) -> None:
    already = sample.store.keys[0].attachments[0]

    assert store.attach(sample.store, sample.vault_key, "work", already) is sample.store
    assert store.detach(sample.store, sample.vault_key, "play", "box") is sample.store


def test_a_box_that_goes_takes_its_attachments_with_it(sample) -> None:
    both = store.attach(sample.store, sample.vault_key, "play", Attachment("box"))
    both = store.attach(both, sample.vault_key, "play", Attachment("stays"))

    after = store.detach_box(both, sample.vault_key, "box")

    assert after.attached_to("box") == ()
    assert [key.name for key in after.attached_to("stays")] == ["play"]
    assert formats.open_private_key(after.keys[0], sample.vault_key) == sample.private_keys["work"]


def test_a_new_password_opens_the_same_vault(sample, cheap, any_cost) -> None:
    changed = store.change_password(sample.store, sample.vault_key, b"new", cost=cheap)

    assert store.unlock(changed, b"new", bounds=any_cost) == sample.vault_key
    with pytest.raises(WrongPassword):
        store.unlock(changed, sample.password, bounds=any_cost)


def test_an_edit_that_fails_leaves_the_file_alone(path: str, sample) -> None:
    before = Path(path).read_bytes()

    with pytest.raises(IdentityError):
        store.change(path, lambda now: store.delete(now, "nobody"))

    assert Path(path).read_bytes() == before


def test_a_file_tampered_with_is_not_resealed_by_a_command(path: str, sample) -> None:
    doctored = Path(path).read_bytes().replace(b'ask: "once"', b'ask: "never"')
    Path(path).write_bytes(doctored)

    with pytest.raises(TamperedError, match="'work'"):
        store.change_sealed(path, unlocked(sample), lambda now, key: store.detach_box(now, key, "box"))

    assert Path(path).read_bytes() == doctored


def test_a_truncated_file_is_refused_and_left_as_it_is(path: str, sample) -> None:
    content = Path(path).read_bytes()
    for cut in range(0, len(content) - 1, 7):
        Path(path).write_bytes(content[:cut])
        with pytest.raises(KeyStoreError, match="is damaged"):
            store.change(path, lambda now: store.delete(now, "work"))
        assert Path(path).read_bytes() == content[:cut]


def test_what_is_no_key_store_at_all_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    large = tmp_path / "large"
    large.write_bytes(b" " * (8 * 1024 * 1024 + 1))

    with pytest.raises(KeyStoreError, match="cannot be read: Is a directory"):
        store.load(str(folder))
    with pytest.raises(KeyStoreError, match="larger than 8 MiB"):
        store.load(str(large))


def test_a_store_too_large_to_read_is_not_written(path: str, sample) -> None:
    before = Path(path).read_bytes()
    huge = attrs.evolve(sample.store.keys[0], sealed=Sealed(b"", bytes(8 * 1024 * 1024)))

    with pytest.raises(KeyStoreError, match="larger than 8 MiB"):
        store.change(path, lambda now: attrs.evolve(now, keys=(huge,)))

    assert Path(path).read_bytes() == before


def test_a_password_changed_meanwhile_is_proved_again(path: str, sample, cheap, any_cost) -> None:
    before = unlocked(sample)
    store.change(path, lambda now: store.change_password(now, sample.vault_key, b"new", cost=cheap))

    with pytest.raises(WrongPassword):
        store.change_sealed(path, before, lambda now, _: store.delete(now, "play"), bounds=any_cost)

    assert store.load(path).key("play")


def test_a_store_made_meanwhile_with_the_same_password_is_used(tmp_path: Path, sample, cheap, any_cost) -> None:
    """Two first commands at once: both saw no store; the second must not replace what the first made."""
    path = str(tmp_path / "keys.ron")
    one, two = (store.unlock_for_changes(Store(), b"same", cost=cheap) for _ in range(2))
    assert one.vault_key != two.vault_key
    for unlocked, name in ((one, "work"), (two, "play")):
        key = sample.private_keys[name]
        line, private = formats.public_line(key, ""), formats.private_bytes(key)
        store.change_sealed(
            path,
            unlocked,
            lambda now, vault_key, name=name, line=line, private=private: store.add(
                now, vault_key, name=name, public_key=line, private_key=private
            ),
            bounds=any_cost,
        )

    result = store.load(path)
    assert result.vault == one.vault
    for name in ("work", "play"):
        assert formats.open_private_key(result.key(name), one.vault_key) == sample.private_keys[name]


def _add_ten(path: str, who: str, vault_key: bytes) -> None:
    for number in range(10):
        key = formats.generate("ed25519")
        line, private = formats.public_line(key, ""), formats.private_bytes(key)
        store.change(
            path,
            lambda now, name=f"{who}{number}", line=line, private=private: store.add(
                now, vault_key, name=name, public_key=line, private_key=private
            ),
        )


def test_processes_that_add_keys_at_once_lose_none(path: str, sample) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_add_ten, args=(path, who, sample.vault_key)) for who in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0, 0, 0]
    after = store.load(path)
    assert {key.name for key in after.keys} == {"work", "play"} | {f"{who}{n}" for who in "abc" for n in range(10)}
    for key in after.keys:
        vault.unseal(key, sample.vault_key)


def _change_with_room_for(size: int, path: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with pytest.raises(HostError) as refusal:
        store.change(path, lambda now: store.delete(now, "work"))
    assert refusal.value.sentence.endswith("cannot be written: File too large.")


def test_a_write_cut_short_leaves_the_old_store_and_nothing_else(path: str) -> None:
    """As on a full disk: the limit makes write(2) fail half way through the file."""
    before = Path(path).read_bytes()
    process = multiprocessing.get_context("spawn").Process(target=_change_with_room_for, args=(200, path))
    process.start()
    process.join()

    assert process.exitcode == 0
    assert Path(path).read_bytes() == before
    assert sorted(os.listdir(os.path.dirname(path))) == [".keys.lock", "keys.ron"]


def test_a_thousand_keys_fit(sample) -> None:
    key = sample.store.keys[0]
    many = attrs.evolve(sample.store, keys=tuple(attrs.evolve(key, name=f"k{number}") for number in range(1000)))

    assert document.decode(document.encode(many), "keys.ron") == many
