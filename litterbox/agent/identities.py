"""A key that a client may ask to use, as data, and what the agent asks of a collection of them."""

from collections.abc import Sequence
from typing import Final, Protocol

import attrs

from litterbox.agent.constraints import Constraints
from litterbox.agent.private_keys import algorithm_name, fingerprint
from litterbox.errors import LitterboxError
from litterbox.keys.records import Ask

RSA_SHA2_256: Final = 2  # SSH_AGENT_RSA_SHA2_256 and _512: flags of a sign request (RFC 9987 section 6.2)
RSA_SHA2_512: Final = 4


class SigningError(LitterboxError):
    """There will be no signature; the sentence says why, for the log."""


@attrs.frozen
class Identity:
    """A key: the name it goes by, its public blob (a certificate's, where it is one), its comment.

    A stored key has the user's name for it, may be limited to `hosts`, and is asked about as often as `ask`
    says. A key that a client added has `constraints`, and its comment for a name.
    """

    name: str
    public_blob: bytes
    comment: bytes
    hosts: tuple[str, ...] = ()
    ask: Ask = "always"
    constraints: Constraints | None = None
    fingerprint: str = attrs.field(init=False)
    algorithm: str = attrs.field(init=False)

    @fingerprint.default
    def _fingerprint(self) -> str:
        return fingerprint(self.public_blob)

    @algorithm.default
    def _algorithm(self) -> str:
        return algorithm_name(self.public_blob)


class Identities(Protocol):
    """What the agent needs of stored keys. Every call sees the keys as they are at that moment.

    `listed` and `find` raise LitterboxError where the keys cannot be read; `sign` also where the key went
    away, was tampered with, or cannot sign what is asked. `hide` takes a key out of the others' sight.
    """

    def listed(self) -> Sequence[Identity]: ...

    def find(self, public_blob: bytes) -> Identity | None: ...

    def hide(self, public_blob: bytes) -> None: ...

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes: ...


def signature_algorithm(key_algorithm: bytes, flags: int) -> bytes:
    """As OpenSSH's agent: the flags choose for RSA, SHA-256 before SHA-512; without any it is SHA-1.

    SHA-1 is what the protocol says (RFC 9987 section 5.7.1), and is refused where the system's OpenSSL
    refuses it.
    """
    if key_algorithm == b"ssh-rsa":
        if flags & RSA_SHA2_256:
            return b"rsa-sha2-256"
        if flags & RSA_SHA2_512:
            return b"rsa-sha2-512"
    return key_algorithm
