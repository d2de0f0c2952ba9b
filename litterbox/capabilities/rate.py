"""Limits how often something may happen: a number of times at once, and then once in each interval."""

import attrs
import trio


@attrs.define
class Rate:
    """A token bucket: `burst` tokens at once, and one more each `interval` seconds.

    State: how many tokens there were at a time, `_since`.
    """

    burst: int
    interval: float
    _left: float = attrs.field(init=False)
    _since: float = attrs.field(factory=trio.current_time, init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.burst

    def take(self) -> bool:
        """Take a token. Returns False where none is left."""
        now = trio.current_time()
        self._left = min(self.burst, self._left + (now - self._since) / self.interval)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
