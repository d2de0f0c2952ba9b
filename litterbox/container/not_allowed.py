"""What the readers of settings raise for a value that its key does not take."""


class NotAllowed(ValueError):
    """A value that its key does not take; `key` where it is a key within the one that is being read."""

    def __init__(self, value: object, key: str = "", allowed: str = "") -> None:
        super().__init__(value)
        self.value = value
        self.key = key
        self.allowed = allowed
