"""The keys that a box sees, and signing with one of them; it knows neither connections nor dialogs."""

import base64
import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import Protocol

import asyncssh
import attrs
import trio
from asyncssh.packet import PacketDecodeError, SSHPacket
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox import paths
from litterbox.agent.protocol import RSA_SHA2_256, RSA_SHA2_512
from litterbox.errors import KeyStoreError, LitterboxError, TamperedError
from litterbox.keys import formats, store, vault
from litterbox.keys.records import StoredKey

_logger = logging.getLogger(__name__)


class SigningError(LitterboxError):
    """There will be no signature; the sentence says why, for the log."""


def fingerprint(public_blob: bytes) -> str:
    """The SHA-256 of a public key, as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob).digest()).decode("ascii").rstrip("=")


def algorithm(public_blob: bytes) -> str:
    """The type that a public blob says it has, "ssh-ed25519"; "unknown" where it says none."""
    try:
        return SSHPacket(public_blob).get_string().decode("ascii")
    except (PacketDecodeError, UnicodeDecodeError):
        return "unknown"


@attrs.frozen
class Identity:
    """A key that a box may ask to use: the user's name for it, its public blob, its comment."""

    name: str
    public_blob: bytes
    comment: str
    fingerprint: str = attrs.field(init=False)
    algorithm: str = attrs.field(init=False)

    @fingerprint.default
    def _fingerprint(self) -> str:
        return fingerprint(self.public_blob)

    @algorithm.default
    def _algorithm(self) -> str:
        return algorithm(self.public_blob)


class Identities(Protocol):
    """What the server needs of the keys. Every call sees the keys as they are at that moment.

    `listed` and `find` raise LitterboxError where the keys cannot be read; `sign` also where the key went
    away, was tampered with, or cannot sign what is asked.
    """

    def listed(self) -> Sequence[Identity]: ...

    def find(self, public_blob: bytes) -> Identity | None: ...

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes: ...


class StoreIdentities:
    """The keys of the store that are attached to one box.

    Looks at the store's file on every call and reads it again when it changed, so a detached or deleted key
    is gone with the command's return. A key whose entry was tampered with is left out, and named in the log;
    so is one limited to hosts, until connections can prove their host.
    """

    def __init__(self, box: str, vault_key: Callable[[], bytes | None], *, path: str | None = None) -> None:
        """`vault_key` gives the key that opens the store, None while the daemon has none."""
        self._box = box
        self._vault_key = vault_key
        self._path = paths.key_store() if path is None else path
        self._seen: object = None
        self._keys: dict[bytes, tuple[Identity, StoredKey]] = {}

    def listed(self) -> Sequence[Identity]:
        return [identity for identity, _ in self._attached().values()]

    def find(self, public_blob: bytes) -> Identity | None:
        found = self._attached().get(public_blob)
        return found[0] if found else None

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes:
        """Decrypt the key for this one signature, and drop it."""
        found = self._attached().get(identity.public_blob)
        if found is None or found[0] != identity:
            raise SigningError(f"The key {identity.name!r} is no longer attached to {self._box}.")
        vault_key = self._vault_key()
        if vault_key is None:
            raise SigningError(
                f"The key {identity.name!r} cannot be opened: this daemon was not given the password.",
                f"Run 'litterbox keys attach {identity.name} {self._box}'.",
            )
        key = found[1]
        if key.type == "rsa":  # a millisecond or more, and OpenSSL lets go of the GIL meanwhile
            return await trio.to_thread.run_sync(_sign, key, vault_key, data, flags)
        return _sign(key, vault_key, data, flags)

    def _attached(self) -> dict[bytes, tuple[Identity, StoredKey]]:
        vault_key = self._vault_key()
        now = (self._stamp(), vault_key)
        if now != self._seen:
            self._keys = self._read(vault_key)
            self._seen = now  # taken before reading: a change in between is seen by the next call
        return self._keys

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyStoreError(f"The key store {self._path} cannot be read: {error.strerror}.") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self, vault_key: bytes | None) -> dict[bytes, tuple[Identity, StoredKey]]:
        stored = [key for key in store.load(self._path).attached_to(self._box) if self._offers(key, vault_key)]
        return {key.blob: (Identity(key.name, key.blob, key.comment), key) for key in stored}

    def _offers(self, key: StoredKey, vault_key: bytes | None) -> bool:
        attachment = key.attachment(self._box)
        if attachment is None or attachment.hosts:
            _logger.warning("%s: the key %r is limited to hosts: not offered", self._box, key.name)
            return False
        if vault_key is not None:
            try:
                vault.unseal(key, vault_key)
            except TamperedError as error:
                _logger.warning("%s: %s", self._box, error.sentence)
                return False
        return True


def _sign(key: StoredKey, vault_key: bytes, data: bytes, flags: int) -> bytes:
    try:
        return formats.open_private_key(key, vault_key).sign(data, _signature_algorithm(key.algorithm, flags))
    except (asyncssh.KeyImportError, UnsupportedAlgorithm, ValueError) as error:
        raise SigningError(f"The key {key.name!r} cannot sign this: {error}.") from error


def _signature_algorithm(key_algorithm: str, flags: int) -> bytes:
    """As OpenSSH's agent: the flags choose for RSA, SHA-256 before SHA-512; without any it is SHA-1.

    SHA-1 is what the protocol says (RFC 9987 section 5.7.1), and is refused where the system's OpenSSL
    refuses it.
    """
    if key_algorithm == "ssh-rsa":
        if flags & RSA_SHA2_256:
            return b"rsa-sha2-256"
        if flags & RSA_SHA2_512:
            return b"rsa-sha2-512"
    return key_algorithm.encode("ascii")
