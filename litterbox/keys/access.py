"""The user's key store, opened by asking: what commands and `enter` need of store and password together."""

import sys

import attrs

from litterbox import paths
from litterbox.errors import LitterboxError, TamperedError
from litterbox.keys import password, store, vault
from litterbox.keys.document import RustStoreError
from litterbox.keys.records import Store, StoredKey
from litterbox.keys.store import Unlocked

_NEW_STORE = "There is no key store yet. Choose a password for a new one."


@attrs.frozen
class Current:
    """The store as it was read; `unlocked` where reading it took the password already."""

    store: Store
    unlocked: Unlocked | None = None


@attrs.frozen
class Verification:
    """Whether keys are as Litterbox sealed them: `tampered` has an error for each that is not.

    Where that was not looked at, `unverified` says so and why, in a sentence.
    """

    tampered: tuple[TamperedError, ...] = ()
    unverified: str = ""


def load() -> Current:
    """The user's store as it is now. One that the Rust Litterbox wrote is converted first, which asks for its password.

    Raises KeyStoreError, and what `unlock` raises.
    """
    path = paths.key_store()
    try:
        return Current(store.load(path))
    except RustStoreError:
        return _converted(path)


def unlock(current: Current) -> Unlocked:
    """Ask for the password of `current`; where there is no store yet, ask for that of a new one, twice.

    Raises WrongPassword after the last try, and PasswordError where nobody can be asked.
    """
    if current.unlocked is not None:
        return current.unlocked
    if current.store.vault is None:
        return store.unlock_for_changes(current.store, password.new(password.STORE, why=_NEW_STORE))
    return password.existing(password.STORE, lambda answer: store.unlock_for_changes(current.store, answer))


def verify(current: Current, *keys: StoredKey) -> Verification:
    """Verify the seals of `keys` where nobody need be asked for the password: a command gives it, or it was given."""
    if current.unlocked is None and not password.has_command(password.STORE):
        way = f"{password.STORE.variable} is not set, so the seals were not looked at"
        return Verification(unverified=f"Nothing was verified: {way}, and this is only what keys.ron says.")
    try:
        vault_key = unlock(current).vault_key
    except LitterboxError as error:
        return Verification(unverified=f"Nothing was verified: this is only what keys.ron says. {error.sentence}")
    tampered = []
    for key in keys:
        try:
            vault.unseal(key, vault_key)
        except TamperedError as error:
            tampered.append(error)
    return Verification(tuple(tampered))


def vault_key_for_box(box: str) -> bytes | None:
    """The vault key, asked for, when keys are attached to `box`; None when none are."""
    current = load()
    return unlock(current).vault_key if current.store.attached_to(box) else None


def detach_box(box: str) -> list[str]:
    """Detach every key from a box that goes away; returns their names.

    Asks for the password when there are any: each key is sealed to its attachments.
    """
    current = load()
    names = [key.name for key in current.store.attached_to(box)]
    if names:
        store.change_sealed(
            paths.key_store(), unlock(current), lambda now, vault_key: store.detach_box(now, vault_key, box)
        )
    return names


def _converted(path: str) -> Current:
    from litterbox.keys.rust import conversion  # start-up budget: once in a store's life

    conversion.check(path)
    _say(f"The key store {path} is the Rust Litterbox's: it is being converted, which takes its password.")
    converted = password.existing(password.STORE, lambda answer: conversion.convert(path, answer))
    for change in converted.changes:
        _say(change)
    if converted.backup is not None:
        _say(
            f"The key store is converted; the old one is kept as {converted.backup}. Its password can be guessed much "
            "faster than the new one's: delete it when you have seen that your keys work."
        )
    return Current(converted.store, converted.unlocked)


def _say(sentence: str) -> None:
    print(f"litterbox: {sentence}", file=sys.stderr)
