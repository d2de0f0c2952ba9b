"""The keys that clients added: in memory only, each within its constraints, gone when its lifetime ends."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Final

import asyncssh
import attrs
import trio
from cryptography.exceptions import UnsupportedAlgorithm

from litterbox import workers
from litterbox.agent.identities import Identity, SigningError, signature_algorithm
from litterbox.agent.private_keys import BadKey, PrivateKey, load
from litterbox.agent.protocol import MAX_MESSAGE
from litterbox.agent.requests import AddIdentity
from litterbox.confirm.escaping import quoted

MAX_BYTES: Final = 4 * 1024 * 1024  # of requests that added keys: two thousand RSA keys
_LISTED_ENTRY: Final = 8  # bytes beside blob and comment
_RESERVED: Final = 64 * 1024  # bytes of the list that are left to stored keys


def _now() -> float:
    """Seconds that go on while the machine sleeps, as ssh-agent counts a lifetime."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@attrs.frozen
class _Added:
    identity: Identity
    key: asyncssh.SSHKey = attrs.field(repr=False)
    size: int
    deadline: float | None

    def is_over(self, now: float) -> bool:
        return self.deadline is not None and self.deadline <= now


class AddedKeys:
    """What clients of one agent have added. Every call sees only what has not expired and was not forgotten."""

    def __init__(self, *, now: Callable[[], float] = _now) -> None:
        self._now = now
        self._keys: dict[bytes, _Added] = {}
        self._soonest = math.inf  # the first of the deadlines
        self._changed = trio.Event()
        self._forgotten = False  # whether `forget` was called since anybody looked

    def forget(self) -> None:
        """Drop every key before anybody sees one again.

        A signal handler may call this, wherever it interrupts us: it only sets a flag, and the next call of any other
        method drops the keys.
        """
        self._forgotten = True

    def drop_ended(self) -> None:
        """Drop the keys whose lifetime has ended, and all that there were at `forget`."""
        if self._forgotten:
            self._forgotten = False
            self._keys = {}
            self._soonest = math.inf
        if self._soonest == math.inf or self._soonest > (now := self._now()):
            return
        self._keys = {blob: added for blob, added in self._keys.items() if not added.is_over(now)}
        self._soonest = min(
            (added.deadline for added in self._keys.values() if added.deadline is not None), default=math.inf
        )

    def listed(self) -> Sequence[Identity]:
        """The keys in the order in which they came; one that was added again keeps its place."""
        self.drop_ended()
        return [added.identity for added in self._keys.values()]

    def find(self, public_blob: bytes) -> Identity | None:
        self.drop_ended()
        added = self._keys.get(public_blob)
        return added.identity if added else None

    def check_room(self, request: AddIdentity) -> None:
        """Raise BadKey where there is no room for one more: a list must fit in one message."""
        self.drop_ended()
        others = [added for blob, added in self._keys.items() if blob != request.key.public_blob]
        listed = sum(len(added.identity.public_blob) + len(added.identity.comment) + _LISTED_ENTRY for added in others)
        listed += len(request.key.public_blob) + len(request.comment) + _LISTED_ENTRY
        if listed > MAX_MESSAGE - _RESERVED:
            raise BadKey("There are so many keys that a list would not fit in one message.")
        if sum(added.size for added in others) + len(request.body) > MAX_BYTES:
            raise BadKey(f"The added keys would take more than {MAX_BYTES // 1024 // 1024} MiB.")

    async def load(self, key: PrivateKey) -> asyncssh.SSHKey:
        """Make a key of what was sent. Raises BadKey."""
        return await workers.run_untrusted(load, key)

    def add(self, request: AddIdentity, key: asyncssh.SSHKey) -> Identity:
        """Keep `key`, which `load` made of the request; comment and constraints replace those it had."""
        self.drop_ended()
        lifetime = request.constraints.lifetime
        deadline = None if lifetime is None else self._now() + lifetime
        identity = describe(request)
        self._keys[identity.public_blob] = _Added(identity, key, len(request.body), deadline)
        if deadline is not None:
            self._soonest = min(self._soonest, deadline)
            self._changed.set()
        return identity

    def remove(self, public_blob: bytes) -> bool:
        """Drop one key; False where there is none."""
        self.drop_ended()
        return self._keys.pop(public_blob, None) is not None

    def clear(self) -> int:
        """Drop every key; returns how many there were."""
        self.drop_ended()
        count = len(self._keys)
        self._keys.clear()
        return count

    async def sign(self, identity: Identity, data: bytes, flags: int) -> bytes:
        """One signature. Raises SigningError where the key is gone, or cannot sign this."""
        self.drop_ended()
        added = self._keys.get(identity.public_blob)
        if added is None or added.identity is not identity:
            raise SigningError(f"The key {quoted(identity.name)} is gone.")
        algorithm = signature_algorithm(added.key.algorithm, flags)
        try:
            if added.key.algorithm in (b"ssh-rsa", b"ssh-dss"):  # a client can make these slow; OpenSSL drops the GIL
                return await workers.run_untrusted(added.key.sign, data, algorithm)
            return added.key.sign(data, algorithm)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SigningError(f"The key {quoted(identity.name)} cannot sign this: {error}.") from error

    async def expire(self) -> None:
        """Drop each key when its lifetime ends, until cancelled, also while nobody asks for it."""
        while True:
            self._changed = trio.Event()
            with trio.move_on_after(max(0.0, self._soonest - self._now())):
                await self._changed.wait()
            self.drop_ended()


def describe(request: AddIdentity) -> Identity:
    """The identity that the request would add; its name is its comment, a client's own words."""
    name = request.comment.decode("utf-8", "replace")
    return Identity(name, request.key.public_blob, request.comment, constraints=request.constraints)
