"""The lock of an agent (RFC 9987 section 5.8): a passphrase closes it, and only the same one opens it."""

import hashlib
import hmac
import os
from typing import Final

import trio

DELAY: Final = 0.1  # seconds; once more for each wrong passphrase, as OpenSSH's agent
MAX_DELAY: Final = 10.0
_SCRYPT: Final = {"n": 2**14, "r": 8, "p": 1}  # RFC 7914's interactive cost: 16 MiB, tens of milliseconds


class AgentLock:
    """Open at first. What is kept of a passphrase is its salted hash."""

    def __init__(self) -> None:
        self._salt = b""
        self._hash: bytes | None = None
        self._wrong = 0
        self._one_at_a_time = trio.Lock()

    @property
    def locked(self) -> bool:
        return self._hash is not None

    async def lock(self, passphrase: bytes) -> bool:
        """Close the lock; False where it is closed already."""
        async with self._one_at_a_time:
            if self._hash is not None:
                return False
            self._salt = os.urandom(16)
            self._hash = await _digest(passphrase, self._salt)
            return True

    async def unlock(self, passphrase: bytes) -> bool:
        """Open the lock; False where it is open, or the passphrase is wrong: then only after a delay that grows."""
        async with self._one_at_a_time:
            if self._hash is None:
                return False
            if hmac.compare_digest(await _digest(passphrase, self._salt), self._hash):
                self._hash = None
                self._wrong = 0
                return True
            self._wrong += 1
            await trio.sleep(min(DELAY * self._wrong, MAX_DELAY))
            return False


async def _digest(passphrase: bytes, salt: bytes) -> bytes:
    return await trio.to_thread.run_sync(lambda: hashlib.scrypt(passphrase, salt=salt, **_SCRYPT))
