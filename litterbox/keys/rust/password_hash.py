"""The hash that proves the password of a Rust store: a PHC string of Argon2id, checked before it is run."""

import base64
import re
from typing import Final

import attrs
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from litterbox.keys import vault
from litterbox.keys.records import Cost

# The Rust Litterbox wrote m=19456,t=2,p=1. A cheaper hash only makes its own file weaker.
_BOUNDS: Final = vault.Bounds(lowest=Cost(iterations=1, lanes=1, memory_kib=8), highest=vault.PRODUCTION.highest)
_KIB_PER_LANE: Final = 8  # at least (RFC 9106 section 3.1)
_PHC = re.compile(
    r"\$argon2id\$v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})"
    r"\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{16,86})"  # 8 to 48 bytes of salt, 12 to 64 of hash
)


@attrs.frozen
class PasswordHash:
    cost: Cost
    salt: bytes
    digest: bytes


def parse(text: str) -> PasswordHash:
    """Read `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`. Raises ValueError, also for a cost out of bounds."""
    found = _PHC.fullmatch(text)
    if not found:
        raise ValueError("this is not the hash of a password by Argon2id")
    memory_kib, iterations, lanes = (int(number) for number in found.group(1, 2, 3))
    cost = Cost(iterations=iterations, lanes=lanes, memory_kib=memory_kib)
    if not _BOUNDS.allow(cost) or memory_kib < _KIB_PER_LANE * lanes:
        raise ValueError("it asks for Argon2id parameters outside what Litterbox allows")
    try:
        return PasswordHash(cost, _base64(found[4]), _base64(found[5]))
    except ValueError:
        raise ValueError("this is not the hash of a password by Argon2id") from None


def verify(expected: PasswordHash, password: bytes) -> None:
    """Compare in constant time. Raises WrongPassword."""
    derivation = Argon2id(
        salt=expected.salt,
        length=len(expected.digest),
        iterations=expected.cost.iterations,
        lanes=expected.cost.lanes,
        memory_cost=expected.cost.memory_kib,
    )
    try:
        derivation.verify(password, expected.digest)
    except InvalidKey:
        raise vault.wrong_password() from None


def _base64(text: str) -> bytes:
    """Base64 as PHC strings have it, without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
