"""Converting the Rust Litterbox's keys.ron: all of it or nothing, with the old file kept beside the new one."""

import asyncssh
import attrs

from litterbox.errors import IdentityError, KeyStoreError
from litterbox.keys import document as our_document
from litterbox.keys import store, vault
from litterbox.keys.document import RustStoreError
from litterbox.keys.records import Cost, Store
from litterbox.keys.rust import backup, document, password_hash, pbes2, private_key
from litterbox.keys.rust.document import RustKey
from litterbox.keys.rust.takeover import OpenedKey, take_over
from litterbox.keys.store import Unlocked


@attrs.frozen
class Converted:
    """The store as it is now, and the password's proof; none where the store went away meanwhile.

    `backup` is the path of the old file's copy, None where another command had converted it just before.
    """

    store: Store
    unlocked: Unlocked | None
    backup: str | None = None
    changes: tuple[str, ...] = ()


def check(path: str) -> None:
    """Raise KeyStoreError where the store at `path` is a Rust store that cannot be read, whatever the password."""
    content = store.read(path)
    if content is not None and _is_rust(content, path):
        document.decode(content, path)


def convert(path: str, password: bytes, *, cost: Cost = vault.RECOMMENDED) -> Converted:
    """Replace a Rust store by one of ours under the same password, holding the store's lock.

    What another command made of it in the meantime is opened instead. Raises WrongPassword; KeyStoreError, which
    names the key, where one cannot be taken over; HostError. The file is then as it was.
    """
    with store.lock(path):
        content = store.read(path)
        if content is None:
            return Converted(Store(), None)
        if not _is_rust(content, path):
            now = our_document.decode(content, path)
            return Converted(now, store.unlock_for_changes(now, password))
        old = document.decode(content, path)
        password_hash.verify(old.password_hash, password)
        opened = [OpenedKey(key.name, _open(key, password), key.attached_litterboxes) for key in old.keys]
        unlocked = store.unlock_for_changes(Store(), password, cost=cost)
        taken = take_over(opened, unlocked.vault_key)
        new = Store(unlocked.vault, taken.keys)
        place = backup.keep(path, content)
        store.write(path, new)
        return Converted(new, unlocked, place, taken.changes)


def _is_rust(content: bytes, path: str) -> bool:
    try:
        our_document.decode(content, path)
    except RustStoreError:
        return True
    return False


def _open(key: RustKey, password: bytes) -> asyncssh.SSHKey:
    try:
        return private_key.read(pbes2.decrypt(key.encrypted_key, password))
    except IdentityError as error:
        reason = error.sentence
    except ValueError:
        reason = "The password of the store does not open it, or it is damaged."
    raise KeyStoreError(
        f"The key {key.name!a} of the old key store cannot be taken over, so nothing was converted. {reason}",
        "Delete the key with the Rust Litterbox ('litterbox keys delete'), or restore keys.ron from a backup.",
    )
