"""The cryptography of the key store: a password opens the vault key, the vault key opens each private key.

Argon2id turns the password into a key that wraps one random vault key; the vault key seals every private key.
Both steps use ChaCha20-Poly1305 (RFC 8439) with random 96-bit nonces, which must never repeat under one key.
A wrapping key is used once, for its salt is new each time. A vault key seals once per key added or attachment
changed: after a million of those the chance of a repeat is below 2^-56. No counter is stored, so an older
file put back cannot make a nonce repeat either.
"""

import os
import struct
from typing import Final

import attrs
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from litterbox.errors import KeyStoreError, TamperedError, WrongPassword
from litterbox.keys.records import VERSION, Attachment, Cost, Sealed, StoredKey, Vault

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SALT_BYTES: Final = 16  # RFC 9106 section 3.1 recommends it
RECOMMENDED: Final = Cost(iterations=3, lanes=4, memory_kib=64 * 1024)  # RFC 9106 section 4, second choice


@attrs.frozen
class Bounds:
    """The costs that a file may ask for: no less than is safe, no more than a machine can bear."""

    lowest: Cost
    highest: Cost

    def allow(self, cost: Cost) -> bool:
        return all(
            low <= value <= high
            for low, value, high in zip(
                attrs.astuple(self.lowest), attrs.astuple(cost), attrs.astuple(self.highest), strict=True
            )
        )


PRODUCTION: Final = Bounds(lowest=RECOMMENDED, highest=Cost(iterations=10, lanes=16, memory_kib=1024 * 1024))


def new_vault_key() -> bytes:
    return os.urandom(KEY_BYTES)


def wrap(vault_key: bytes, password: bytes, *, cost: Cost = RECOMMENDED) -> Vault:
    """Wrap `vault_key` under `password` with a new salt."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    cipher = ChaCha20Poly1305(_derive(password, salt, cost))
    wrapped = Sealed(nonce, cipher.encrypt(nonce, vault_key, _vault_data("argon2id", cost)))
    return Vault(kdf="argon2id", cost=cost, salt=salt, wrapped_key=wrapped)


def unwrap(vault: Vault, password: bytes, *, bounds: Bounds = PRODUCTION) -> bytes:
    """Return the vault key. Raises WrongPassword, and KeyStoreError where the file's cost is out of bounds.

    A doctored salt, cost or wrapped key cannot be told from a wrong password: nothing else proves one right.
    """
    if not bounds.allow(vault.cost):
        raise KeyStoreError(
            "The key store asks for Argon2id parameters outside what Litterbox allows "
            f"({vault.cost.iterations} iterations, {vault.cost.lanes} lanes, {vault.cost.memory_kib} KiB).",
            "Somebody may have changed keys.ron: restore it from a backup.",
        )
    cipher = ChaCha20Poly1305(_derive(password, vault.salt, vault.cost))
    try:
        return cipher.decrypt(vault.wrapped_key.nonce, vault.wrapped_key.ciphertext, _vault_data(vault.kdf, vault.cost))
    except InvalidTag:
        raise wrong_password() from None


def wrong_password() -> WrongPassword:
    return WrongPassword(
        "The password does not open the key store.",
        "If it is lost, move keys.ron away and make new keys: nothing else opens them.",
    )


def seal(
    private_key: bytes, vault_key: bytes, *, name: str, public_key: str, attachments: tuple[Attachment, ...]
) -> StoredKey:
    """Seal a private key to the name, public key and attachments that it is stored with."""
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = ChaCha20Poly1305(vault_key).encrypt(nonce, private_key, _key_data(name, public_key, attachments))
    return StoredKey(name, public_key, Sealed(nonce, ciphertext), attachments)


def unseal(key: StoredKey, vault_key: bytes) -> bytes:
    """Return the private key that was given to `seal`. Raises TamperedError, which names the key.

    Python cannot wipe the bytes: drop them after one use.
    """
    data = _key_data(key.name, key.public_key, key.attachments)
    try:
        return ChaCha20Poly1305(vault_key).decrypt(key.sealed.nonce, key.sealed.ciphertext, data)
    except InvalidTag:
        raise TamperedError(
            f"The stored key {key.name!r} is not as Litterbox sealed it: its name, public key or attachments "
            "were changed by something else.",
            f"Restore keys.ron from a backup, or delete the key ('litterbox keys delete {key.name}') "
            "and import it again.",
        ) from None


def reseal(key: StoredKey, vault_key: bytes, attachments: tuple[Attachment, ...]) -> StoredKey:
    """The same key with other attachments. Raises TamperedError."""
    private_key = unseal(key, vault_key)
    return seal(private_key, vault_key, name=key.name, public_key=key.public_key, attachments=attachments)


def _derive(password: bytes, salt: bytes, cost: Cost) -> bytes:
    derivation = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return derivation.derive(password)


def _vault_data(kdf: str, cost: Cost) -> bytes:
    return _uint32(VERSION) + _string(kdf) + _uint32(cost.iterations) + _uint32(cost.lanes) + _uint32(cost.memory_kib)


def _key_data(name: str, public_key: str, attachments: tuple[Attachment, ...]) -> bytes:
    """Every list is preceded by its length, so no two different keys have the same associated data."""
    parts = [_uint32(VERSION), _string(name), _string(public_key), _uint32(len(attachments))]
    for attachment in attachments:
        parts += [_string(attachment.box), _uint32(len(attachment.hosts))]
        parts += [_string(host) for host in attachment.hosts]
        parts.append(_string(attachment.ask))
    return b"".join(parts)


def _string(text: str) -> bytes:
    data = text.encode()
    return _uint32(len(data)) + data


def _uint32(number: int) -> bytes:
    return struct.pack(">I", number)
