"""The caller's terminal as a mere line to the host's: every key goes there, and the host's own terminal answers."""

import contextlib
import termios
from collections.abc import Iterator
from typing import Any

import attrs

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6  # of what tcgetattr gives (termios(3))
_INPUT_OFF = (
    termios.IGNBRK
    | termios.BRKINT
    | termios.PARMRK
    | termios.ISTRIP
    | termios.INLCR
    | termios.IGNCR
    | termios.ICRNL
    | termios.IXON
)
_LOCAL_OFF = termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN


@attrs.frozen
class Terminal:
    """A terminal in raw mode; `before` is how it was."""

    descriptor: int
    before: list[Any]

    def make_raw(self) -> None:
        """As cfmakeraw(3) does."""
        mode = [*self.before[:_CC], list(self.before[_CC])]
        mode[_IFLAG] &= ~_INPUT_OFF
        mode[_OFLAG] &= ~termios.OPOST
        mode[_CFLAG] = (mode[_CFLAG] & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
        mode[_LFLAG] &= ~_LOCAL_OFF
        mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
        self._set(mode)

    def restore(self) -> None:
        """As it was."""
        self._set(self.before)

    def _set(self, mode: list[Any]) -> None:
        with contextlib.suppress(termios.error):  # one that was hung up needs no mode
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, mode)


@contextlib.contextmanager
def raw(descriptor: int) -> Iterator[Terminal | None]:
    """The terminal in raw mode for the length of the block, whatever happens in it; None where it was hung up."""
    try:
        terminal = Terminal(descriptor, termios.tcgetattr(descriptor))
    except termios.error:
        yield None
        return
    try:
        terminal.make_raw()
        yield terminal
    finally:
        terminal.restore()
