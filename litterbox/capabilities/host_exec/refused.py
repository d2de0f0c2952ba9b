"""What a host command is refused with before anybody is asked."""

from litterbox.errors import LitterboxError


class CommandRefused(LitterboxError):
    """The box may not run this, or not so, or not there; `sentence` says what it may."""
