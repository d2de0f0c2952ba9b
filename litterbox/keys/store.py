"""The key store on disk: reading it, and changing it so that two commands at once lose nothing.

The edits are pure functions from a `Store` to the next one; `change` alone touches the file.
"""

import os
from collections.abc import Callable

import attrs

from litterbox import files, locks
from litterbox.errors import IdentityError, KeyStoreError
from litterbox.keys import attachments, document, vault
from litterbox.keys.records import Attachment, Cost, Store, StoredKey, Vault

LOCK_TIMEOUT = 60.0  # seconds; the conversion of a large store of the Rust Litterbox takes some ten
_MAX_SIZE = 8 * 1024 * 1024  # bytes; room for two thousand RSA keys of 3,072 bits


def load(path: str) -> Store:
    """Read the store at `path`; a file that is not there is an empty store. Needs no password.

    Raises KeyStoreError, with the file, what is wrong with it and the way out; RustStoreError for one that must be
    converted first.
    """
    content = read(path)
    return Store() if content is None else document.decode(content, path)


def unlock(store: Store, password: bytes, *, bounds: vault.Bounds = vault.PRODUCTION) -> bytes:
    """Return the vault key. Raises WrongPassword, and KeyStoreError where there is no store yet."""
    if store.vault is None:
        raise KeyStoreError("There is no key store yet.", "'litterbox keys generate NAME' makes one.")
    return vault.unwrap(store.vault, password, bounds=bounds)


@attrs.frozen
class Unlocked:
    """A password that proved right, with the vault key that it opened."""

    password: bytes = attrs.field(repr=False)
    vault: Vault
    vault_key: bytes = attrs.field(repr=False)


def unlock_for_changes(
    store: Store,
    password: bytes,
    *,
    cost: Cost = vault.RECOMMENDED,
    bounds: vault.Bounds = vault.PRODUCTION,
) -> Unlocked:
    """As `unlock`; where there is no store yet, `password` becomes that of a new one."""
    if store.vault is not None:
        return Unlocked(password, store.vault, unlock(store, password, bounds=bounds))
    vault_key = vault.new_vault_key()
    return Unlocked(password, vault.wrap(vault_key, password, cost=cost), vault_key)


def change(path: str, edit: Callable[[Store], Store]) -> Store:
    """Read the store, edit it and write it back, under the lock beside it; return what is now on disk.

    Nothing is written where `edit` raises or changes nothing. Raises KeyStoreError and HostError.
    """
    with lock(path):
        before = load(path)
        after = edit(before)
        if after != before:
            write(path, after)
    return after


def change_sealed(
    path: str,
    unlocked: Unlocked,
    edit: Callable[[Store, bytes], Store],
    *,
    bounds: vault.Bounds = vault.PRODUCTION,
) -> Store:
    """As `change`, for edits that need the vault key, which is the second argument of `edit`.

    The password was proved before the lock was taken. If the vault is another one by now (somebody made the
    store or changed its password meanwhile), it is proved again; raises WrongPassword where it is not right.
    """

    def edit_with_key(store: Store) -> Store:
        if store.vault is None:
            store = attrs.evolve(store, vault=unlocked.vault)
        if store.vault == unlocked.vault:
            return edit(store, unlocked.vault_key)
        return edit(store, unlock(store, unlocked.password, bounds=bounds))

    return change(path, edit_with_key)


def lock(path: str) -> locks.hold:
    """Hold the store's lock for the length of a block: nobody else changes the file meanwhile. Raises HostError."""
    folder = files.private_folder(os.path.dirname(path))
    return locks.hold(os.path.join(folder, ".keys.lock"), within=LOCK_TIMEOUT)


def read(path: str) -> bytes | None:
    """The content of the file; None where there is none. Raises KeyStoreError."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyStoreError(f"The key store {path} cannot be read: {error.strerror}.") from error
    if len(content) > _MAX_SIZE:
        raise _too_large(path)
    return content


def write(path: str, store: Store) -> None:
    """Replace the file; the caller holds its lock. Raises KeyStoreError where it would be too large, and HostError."""
    content = document.encode(store)
    if len(content) > _MAX_SIZE:
        raise _too_large(path)
    files.write_atomically(path, content)


# --- edits ------------------------------------------------------------------------------------------------


def find(store: Store, name: str) -> StoredKey:
    """Return the key called `name`; raises IdentityError where there is none."""
    key = store.key(name)
    if key is None:
        names = ", ".join(key.name for key in store.keys)
        hint = f"Stored are: {names}." if names else "The key store is empty."
        raise IdentityError(f"There is no key called {name!a}.", hint)
    return key


def check_new(store: Store, name: str, public_key: str | None = None) -> None:
    """Raise IdentityError where the name is taken, or the same key is stored under another one."""
    if store.key(name):
        raise IdentityError(f"There is a key called {name!a} already.", "Choose another name, or delete that key.")
    if public_key is not None:
        same = public_key.split(" ")[1]
        for key in store.keys:
            if key.public_key.split(" ")[1] == same:
                raise IdentityError(f"This key is stored already: it is called {key.name!a}.")


def add(store: Store, vault_key: bytes, *, name: str, public_key: str, private_key: bytes) -> Store:
    """The store with one more key: its OpenSSH public line, and its private part as PKCS#8 DER."""
    check_new(store, name, public_key)
    key = vault.seal(private_key, vault_key, name=name, public_key=public_key, attachments=())
    return attrs.evolve(store, keys=(*store.keys, key))


def attach(store: Store, vault_key: bytes, name: str, attachment: Attachment) -> Store:
    """The store with this attachment of the key, in place of an earlier one to the same box.

    Raises UsageError for one that never asks and does not say for which hosts.
    """
    attachments.check_says_where(attachment.hosts, attachment.ask)
    key = find(store, name)
    if key.attachment(attachment.box) == attachment:
        vault.unseal(key, vault_key)
        return store
    others = tuple(other for other in key.attachments if other.box != attachment.box)
    return _replace(store, vault.reseal(key, vault_key, (*others, attachment)))


def detach(store: Store, vault_key: bytes, name: str, box: str) -> Store:
    """The store with the key no longer attached to `box`; the same store where it was not."""
    key = find(store, name)
    if not key.attachment(box):
        return store
    others = tuple(other for other in key.attachments if other.box != box)
    return _replace(store, vault.reseal(key, vault_key, others))


def detach_box(store: Store, vault_key: bytes, box: str) -> Store:
    """The store with no key attached to `box`.

    Needs the vault key because each key is sealed to its attachments. Who deletes a box asks for the password
    when, and only when, `store.attached_to(box)` is not empty.
    """
    for key in store.attached_to(box):
        store = detach(store, vault_key, key.name, box)
    return store


def delete(store: Store, name: str) -> Store:
    """The store without the key. Needs no password: anyone who can write the file can leave an entry out."""
    gone = find(store, name)
    return attrs.evolve(store, keys=tuple(key for key in store.keys if key is not gone))


def change_password(store: Store, vault_key: bytes, new_password: bytes, *, cost: Cost = vault.RECOMMENDED) -> Store:
    """The store opened by another password. The vault key stays, so running daemons keep working.

    Whoever had the old password and a copy of the old file has the vault key, and can still open the keys.
    """
    return attrs.evolve(store, vault=vault.wrap(vault_key, new_password, cost=cost))


def _too_large(path: str) -> KeyStoreError:
    return KeyStoreError(
        f"The key store {path} would be, or is, larger than {_MAX_SIZE // 1024 // 1024} MiB.",
        "Litterbox does not read larger ones; delete keys that are no longer needed.",
    )


def _replace(store: Store, changed: StoredKey) -> Store:
    return attrs.evolve(store, keys=tuple(changed if key.name == changed.name else key for key in store.keys))
