"""The user's key store, opened by asking: what commands and `enter` need of store and password together."""

from litterbox import paths
from litterbox.keys import password, store
from litterbox.keys.records import Store


def load() -> Store:
    """The user's store as it is now. Raises KeyStoreError."""
    return store.load(paths.key_store())


def unlock(current: Store) -> store.Unlocked:
    """Ask for the password of `current`; where there is no store yet, ask for that of a new one, twice.

    Raises WrongPassword after the last try, and PasswordError where nobody can be asked.
    """
    if current.vault is None:
        return store.unlock_for_changes(current, password.new(password.STORE))
    return password.existing(password.STORE, lambda answer: store.unlock_for_changes(current, answer))


def vault_key_for_box(box: str) -> bytes | None:
    """The vault key, asked for, when keys are attached to `box`; None when none are."""
    current = load()
    return unlock(current).vault_key if current.attached_to(box) else None


def detach_box(box: str) -> list[str]:
    """Detach every key from a box that goes away; returns their names.

    Asks for the password when there are any: each key is sealed to its attachments.
    """
    current = load()
    names = [key.name for key in current.attached_to(box)]
    if names:
        store.change_sealed(
            paths.key_store(), unlock(current), lambda now, vault_key: store.detach_box(now, vault_key, box)
        )
    return names
