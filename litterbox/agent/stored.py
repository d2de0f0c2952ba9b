"""The keys of the user's store that an agent offers, each decrypted for one signature; it knows no connections."""

import logging
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Self

import asyncssh
import attrs
import trio
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox import paths
from litterbox.agent.identities import Identity, SigningError, signature_algorithm
from litterbox.errors import KeyStoreError, TamperedError
from litterbox.keys import formats, store, vault
from litterbox.keys.records import Attachment, Store, StoredKey

_logger = logging.getLogger(__name__)

Select = Callable[[Store], Iterable[tuple[StoredKey, Attachment | None]]]


@attrs.frozen
class _Offered:
    identity: Identity
    key: StoredKey


class StoreIdentities:
    """Some keys of the store: those that are attached to a box, or those that were named.

    Looks at the store's file on every call and reads it again when it changed, so a detached or deleted key
    is gone with the command's return. A key whose entry was tampered with is left out, and named in the log.
    """

    def __init__(self, who: str, select: Select, vault_key: Callable[[], bytes | None], path: str | None) -> None:
        self._who = who
        self._select = select
        self._vault_key = vault_key
        self._path = paths.key_store() if path is None else path
        self._seen: object = None
        self._offered: dict[bytes, _Offered] = {}
        self._hidden: set[StoredKey] = set()

    @classmethod
    def of_box(cls, box: str, vault_key: Callable[[], bytes | None], *, path: str | None = None) -> Self:
        """The keys attached to `box`; `vault_key` gives the key that opens the store, None while there is none."""
        return cls(box, lambda now: [(key, key.attachment(box)) for key in now.attached_to(box)], vault_key, path)

    @classmethod
    def named(cls, names: Iterable[str], vault_key: Callable[[], bytes | None], *, path: str | None = None) -> Self:
        """The keys called `names`, whatever they are attached to, for any host."""
        chosen = frozenset(names)
        return cls("agent", lambda now: [(key, None) for key in now.keys if key.name in chosen], vault_key, path)

    def listed(self) -> Sequence[Identity]:
        return [offered.identity for offered in self._current().values() if offered.key not in self._hidden]

    def find(self, public_blob: bytes) -> Identity | None:
        offered = self._current().get(public_blob)
        return None if offered is None or offered.key in self._hidden else offered.identity

    def hide(self, public_blob: bytes) -> None:
        """No longer offer a key, until it is attached anew, which seals it anew."""
        offered = self._current().get(public_blob)
        if offered is not None:
            self._hidden.add(offered.key)

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes:
        """Decrypt the key for this one signature, and drop it."""
        offered = self._current().get(identity.public_blob)
        if offered is None or offered.identity != identity:
            raise SigningError(f"The key {identity.name!r} is no longer offered by {self._who}.")
        vault_key = self._vault_key()
        if vault_key is None:
            raise SigningError(
                f"The key {identity.name!r} cannot be opened: this daemon was not given the password.",
                f"Run 'litterbox keys attach {identity.name} {self._who}'.",
            )
        if offered.key.type == "rsa":  # a millisecond or more, and OpenSSL lets go of the GIL meanwhile
            return await trio.to_thread.run_sync(_sign, offered.key, vault_key, data, flags)
        return _sign(offered.key, vault_key, data, flags)

    def _current(self) -> dict[bytes, _Offered]:
        vault_key = self._vault_key()
        now = (self._stamp(), vault_key)
        if now != self._seen:
            self._offered = self._read(vault_key)
            self._seen = now  # taken before reading: a change in between is seen by the next call
        return self._offered

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyStoreError(f"The key store {self._path} cannot be read: {error.strerror}.") from error
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self, vault_key: bytes | None) -> dict[bytes, _Offered]:
        offered = {}
        for key, attachment in self._select(store.load(self._path)):
            if self._is_sound(key, vault_key):
                limits = attachment or Attachment(self._who)
                identity = Identity(key.name, key.blob, key.comment.encode(), hosts=limits.hosts, ask=limits.ask)
                offered[key.blob] = _Offered(identity, key)
        return offered

    def _is_sound(self, key: StoredKey, vault_key: bytes | None) -> bool:
        if vault_key is None:
            return True  # nothing can be signed either
        try:
            vault.unseal(key, vault_key)
        except TamperedError as error:
            _logger.warning("%s: %s", self._who, error.sentence)
            return False
        return True


def _sign(key: StoredKey, vault_key: bytes, data: bytes, flags: int) -> bytes:
    try:
        algorithm = signature_algorithm(key.algorithm.encode("ascii"), flags)
        return formats.open_private_key(key, vault_key).sign(data, algorithm)
    except (asyncssh.KeyImportError, UnsupportedAlgorithm, ValueError) as error:
        raise SigningError(f"The key {key.name!r} cannot sign this: {error}.") from error
