"""A store of the Rust Litterbox becomes ours, whole, or stays as it is to the last byte."""

import multiprocessing
import os
import resource
import stat
from pathlib import Path

import asyncssh
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from litterbox.errors import HostError, KeyStoreError, WrongPassword
from litterbox.keys import formats, store, vault
from litterbox.keys.document import RustStoreError
from litterbox.keys.records import Attachment, Cost, Store
from litterbox.keys.rust import conversion

# Written with the libraries of the Rust Litterbox (russh 0.65, argon2 0.5, ron 0.12), from keys of ssh-keygen's.
WRITTEN_BY_RUST = Path(__file__).with_name("written-by-rust.ron")
PUBLIC_KEYS = {
    "laptop": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQcGScWS9VEBdJ0Pz/M2LrI0ygKyTFVqKJFuDys5MCO",
    "my-key": "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLrrDpKkCXSSvOnbZDjOsV/7a4zBDA"
    "ePR7sHK6AWnvABk2TIWfnnsYXLHcw2zGqsgcWRrlaNrePzIC2FWDfBH+8=",
    "old": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCzjdsZ0DHe/LbKa6KJdcQqaVXAgawMsg0Tu7WbimBQY/cRm1O/ddkyeOFuQRK94l075NO"
    "8ZhK2AzZstKgAuByvVRwmOP7MlaJfsNxRsUOigY+qYVqQ9dDdfWHI+2cg/JhqKjPcTBxzYjdkNQxMr8Bb8u4APt3jM2w2SDNP+z31FLXKBipev68iif"
    "gS0zywsgzNbD5HDmjLo2l/2Ql8j1mWYBuK5MuPgVwFpZ9j+qnH/bwoKIURrAa1IPa4pAmmpJRbImbp682W3Q7NfRnDfdNkTdaTTHP5u55NAXWyEiyg"
    "nwWKtG49yJTOFHCtXF+NTWmQ3BJLwf+O8h1QI9WGDAB9",
}
TYPES = [("ed25519", None), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048)]


def pkcs8(key) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_a_store_that_rust_wrote_is_ours_with_every_key_name_and_attachment(keys_ron: Path) -> None:
    keys_ron.write_bytes(WRITTEN_BY_RUST.read_bytes())

    converted = conversion.convert(str(keys_ron), b"correct horse")

    now = store.load(str(keys_ron))
    assert now == converted.store
    assert {key.name: key.public_key for key in now.keys} == {
        name: f"{line} {name}" for name, line in PUBLIC_KEYS.items()
    }
    assert [key.attachments for key in now.keys] == [
        (Attachment("work"), Attachment("play")),
        (Attachment("work"),),
        (),
    ]
    assert converted.changes == ("The key 'my key' is called my-key now.",)
    vault_key = store.unlock(now, b"correct horse")
    for key in now.keys:
        opened = formats.open_private_key(key, vault_key)
        assert opened.public_data == key.blob
        assert opened.convert_to_public().verify(b"data", opened.sign(b"data", _algorithm(opened)))


def _algorithm(key: asyncssh.SSHKey) -> bytes:
    return b"rsa-sha2-256" if key.get_algorithm() == "ssh-rsa" else key.get_algorithm().encode()


@pytest.mark.parametrize(("key_type", "bits"), TYPES)
@pytest.mark.parametrize("kdf", ["pbkdf2", "scrypt"])
def test_keys_of_every_type_come_over_under_the_same_password(rust, cheap, keys_ron, kdf, key_type, bits) -> None:
    key = formats.generate(key_type, bits)
    encrypted = rust.encrypt(formats.private_bytes(key), kdf=getattr(rust, kdf)())
    keys_ron.write_bytes(rust.text([("work", encrypted, ["box"])]))

    converted = conversion.convert(str(keys_ron), rust.password, cost=cheap)

    [stored] = store.load(str(keys_ron)).keys
    assert formats.open_private_key(stored, converted.unlocked.vault_key) == key
    assert stored.comment == "work"


def test_the_password_of_the_old_store_opens_the_new_one(rust, cheap, any_cost, keys_ron, ed25519) -> None:
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), [])]))

    converted = conversion.convert(str(keys_ron), rust.password, cost=cheap)

    now = store.load(str(keys_ron))
    assert store.unlock(now, rust.password, bounds=any_cost) == converted.unlocked.vault_key
    with pytest.raises(WrongPassword):
        store.unlock(now, b"another", bounds=any_cost)


@pytest.mark.parametrize("password", [b"", "Schlüssel\N{KEY}".encode()])
def test_any_password_that_rust_took_will_do(rust, cheap, keys_ron, ed25519, password: bytes) -> None:
    encrypted = rust.encrypt(rust.with_public_key(ed25519), password)
    keys_ron.write_bytes(rust.text([("work", encrypted, [])], rust.hash(password)))

    assert conversion.convert(str(keys_ron), password, cost=cheap).store.key("work")


def test_a_store_without_keys_keeps_its_password(rust, cheap, any_cost, keys_ron) -> None:
    keys_ron.write_bytes(rust.text([]))

    conversion.convert(str(keys_ron), rust.password, cost=cheap)

    now = store.load(str(keys_ron))
    assert now.keys == ()
    store.unlock(now, rust.password, bounds=any_cost)


def test_the_old_file_stays_beside_the_new_one_for_the_user_alone(rust, cheap, keys_ron, ed25519) -> None:
    old = rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), [])])
    keys_ron.write_bytes(old)
    keys_ron.chmod(0o644)

    converted = conversion.convert(str(keys_ron), rust.password, cost=cheap)

    assert converted.backup == f"{keys_ron}.v2-backup"
    assert Path(converted.backup).read_bytes() == old
    for path in (keys_ron, Path(converted.backup)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert formats.private_bytes(ed25519) not in keys_ron.read_bytes()


def files_beside(path: Path) -> dict[str, bytes]:
    return {name: (path.parent / name).read_bytes() for name in os.listdir(path.parent) if name != ".keys.lock"}


def test_a_wrong_password_changes_nothing(rust, keys_ron, ed25519) -> None:
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), [])]))
    before = files_beside(keys_ron)

    with pytest.raises(WrongPassword):
        conversion.convert(str(keys_ron), b"correct horse ")

    assert files_beside(keys_ron) == before


@pytest.mark.parametrize(
    ("private", "reason"),
    [
        (pkcs8(dsa.generate_private_key(1024)), "The key is a DSA key."),
        (pkcs8(ed448.Ed448PrivateKey.generate()), "The key is of a type that OpenSSH does not use."),
        (b"no key at all", "The password of the store does not open it, or it is damaged."),
    ],
)
def test_one_key_that_cannot_be_kept_stops_it_all(rust, keys_ron, ed25519, private: bytes, reason: str) -> None:
    good = rust.encrypt(rust.with_public_key(ed25519))
    keys_ron.write_bytes(rust.text([("good", good, []), ("bad one", rust.encrypt(private), ["box"])]))
    before = files_beside(keys_ron)

    with pytest.raises(KeyStoreError) as refusal:
        conversion.convert(str(keys_ron), rust.password)

    assert refusal.value.sentence == (
        f"The key 'bad one' of the old key store cannot be taken over, so nothing was converted. {reason}"
    )
    assert files_beside(keys_ron) == before


def test_a_key_under_another_password_stops_it_all_and_is_no_reason_to_ask_again(rust, keys_ron, ed25519) -> None:
    other = rust.encrypt(rust.with_public_key(ed25519), b"another")
    keys_ron.write_bytes(rust.text([("work", other, [])]))
    before = files_beside(keys_ron)

    with pytest.raises(KeyStoreError, match="'work'") as refusal:
        conversion.convert(str(keys_ron), rust.password)

    assert not isinstance(refusal.value, WrongPassword)
    assert files_beside(keys_ron) == before


def test_a_public_half_that_is_not_the_keys_stops_it_all(rust, keys_ron, ed25519) -> None:
    doctored = rust.with_public_key(ed25519, public=bytes(32))
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(doctored), [])]))

    with pytest.raises(KeyStoreError, match="'work'"):
        conversion.convert(str(keys_ron), rust.password)


def test_a_store_truncated_anywhere_is_refused_before_anybody_is_asked(rust, keys_ron, ed25519) -> None:
    content = rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), ["box"])])
    for cut in range(0, len(content) - 1, 11):
        keys_ron.write_bytes(content[:cut])
        with pytest.raises(KeyStoreError, match="is damaged: line 1, column"):
            conversion.check(str(keys_ron))
        with pytest.raises(KeyStoreError, match="is damaged"):
            conversion.convert(str(keys_ron), rust.password)
        assert files_beside(keys_ron) == {"keys.ron": content[:cut]}


def test_what_another_command_converted_meanwhile_is_opened(rust, cheap, any_cost, keys_ron, ed25519) -> None:
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), [])]))
    first = conversion.convert(str(keys_ron), rust.password)
    after = files_beside(keys_ron)

    second = conversion.convert(str(keys_ron), rust.password)

    assert (second.store, second.unlocked, second.backup) == (first.store, first.unlocked, None)
    assert files_beside(keys_ron) == after
    with pytest.raises(WrongPassword):
        conversion.convert(str(keys_ron), b"another")


def test_a_store_that_went_away_meanwhile_makes_no_new_one_of_a_password_typed_once(keys_ron) -> None:
    converted = conversion.convert(str(keys_ron), b"correct horse")

    assert (converted.store, converted.unlocked) == (Store(), None)
    assert files_beside(keys_ron) == {}


def _convert(path: str, cost: Cost) -> None:
    conversion.convert(path, b"correct horse", cost=cost)


def test_two_commands_at_once_convert_it_once(rust, keys_ron, ed25519) -> None:
    encrypted = rust.encrypt(rust.with_public_key(ed25519), kdf=rust.scrypt(cost=2**15))
    keys_ron.write_bytes(rust.text([("work", encrypted, ["box"])]))
    spawn = multiprocessing.get_context("spawn")
    commands = [spawn.Process(target=_convert, args=(str(keys_ron), vault.RECOMMENDED)) for _ in range(2)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()

    assert [command.exitcode for command in commands] == [0, 0]
    assert sorted(files_beside(keys_ron)) == ["keys.ron", "keys.ron.v2-backup"]
    now = store.load(str(keys_ron))
    assert formats.open_private_key(now.keys[0], store.unlock(now, rust.password)) == ed25519


def _convert_with_room_for(size: int, path: str) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with pytest.raises(HostError) as refusal:
        conversion.convert(path, b"correct horse")
    assert refusal.value.sentence.endswith("cannot be written: File too large.")


def test_a_disk_that_is_full_leaves_the_old_store_and_nothing_else(rust, keys_ron, ed25519) -> None:
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), [])]))
    before = files_beside(keys_ron)
    command = multiprocessing.get_context("spawn").Process(target=_convert_with_room_for, args=(200, str(keys_ron)))
    command.start()
    command.join()

    assert command.exitcode == 0
    assert files_beside(keys_ron) == before


def test_only_asking_converts(rust, keys_ron) -> None:
    content = rust.text([])
    keys_ron.write_bytes(content)

    with pytest.raises(RustStoreError) as refusal:
        store.load(str(keys_ron))
    with pytest.raises(RustStoreError):
        store.change(str(keys_ron), lambda now: now)

    assert "'litterbox keys list' converts it" in refusal.value.hint
    assert keys_ron.read_bytes() == content


def test_no_secret_shows_in_a_repr_or_an_error(rust, cheap, keys_ron, ed25519) -> None:
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(rust.with_public_key(ed25519), b"another"), [])]))
    with pytest.raises(KeyStoreError) as refusal:
        conversion.convert(str(keys_ron), rust.password)
    keys_ron.write_bytes(rust.text([("work", rust.encrypt(rust.with_public_key(ed25519)), [])]))
    converted = conversion.convert(str(keys_ron), rust.password, cost=cheap)

    shown = f"{converted!r} {refusal.value!r} {refusal.value.hint}"
    for secret in (rust.password, converted.unlocked.vault_key, ed25519.pyca_key.private_bytes_raw()):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
