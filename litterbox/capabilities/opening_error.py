"""Why a link that was approved could not be opened."""

from litterbox.errors import LitterboxError


class OpeningError(LitterboxError):
    """`status` is the exit status of xdg-open(1) in the box: the action failed."""

    status = 4


class NothingOpens(OpeningError):
    """The host has nothing to open it with: a required tool could not be found."""

    status = 3


class NotChosen(OpeningError):
    """The desktop asked the user with which program, and got none; no other login need be tried."""
