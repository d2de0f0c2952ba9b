"""Puts the caller's terminal into raw mode, so that every key goes to the terminal of the host command."""

import contextlib
import termios
from collections.abc import Iterator
from typing import Any

import attrs

_IFLAG, _OFLAG, _CFLAG, _LFLAG, _CC = 0, 1, 2, 3, 6  # indexes in the result of tcgetattr (termios(3))
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
    """A terminal, and `before`, its mode before raw mode."""

    descriptor: int
    before: list[Any]

    def make_raw(self) -> None:
        """Set raw mode as cfmakeraw(3) does."""
        mode = [*self.before[:_CC], list(self.before[_CC])]
        mode[_IFLAG] &= ~_INPUT_OFF
        mode[_OFLAG] &= ~termios.OPOST
        mode[_CFLAG] = (mode[_CFLAG] & ~(termios.CSIZE | termios.PARENB)) | termios.CS8
        mode[_LFLAG] &= ~_LOCAL_OFF
        mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
        self._set(mode)

    def restore(self) -> None:
        """Set the mode that the terminal had before."""
        self._set(self.before)

    def _set(self, mode: list[Any]) -> None:
        with contextlib.suppress(termios.error):  # a terminal that was hung up needs no mode
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, mode)


@contextlib.contextmanager
def raw(descriptor: int) -> Iterator[Terminal | None]:
    """Keep the terminal in raw mode during the block, and restore it. Yields None where it was hung up."""
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
