"""How often something may happen: so often at once, and then again and again after an interval. Counts, asks nobody."""

import attrs
import trio


@attrs.define
class Rate:
    """A token bucket: `burst` at once, and one more each `interval` seconds. State: what is left, and since when."""

    burst: int
    interval: float
    _left: float = attrs.field(init=False)
    _since: float = attrs.field(factory=trio.current_time, init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.burst

    def take(self) -> bool:
        """Whether it may happen now; it then counts."""
        now = trio.current_time()
        self._left = min(self.burst, self._left + (now - self._since) / self.interval)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
