"""The selections of the user's desktop, the clipboard and the primary one, through wl-clipboard or xclip.

They are those of the newest login that works. Media types that come here have been checked: they are arguments.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import BinaryIO, Final

import attrs
import trio

from litterbox.capabilities import tool
from litterbox.capabilities.tool import ToolError, ToolMissing, TooMuchOutput
from litterbox.confirm.escaping import escape_untrusted, quoted
from litterbox.errors import LitterboxError

MAX_SIZE: Final = 16 * 1024 * 1024  # bytes that go through

_SETTLE_TIMEOUT: Final = 1.0  # seconds
_MAX_LIST_LENGTH: Final = 64 * 1024  # bytes that the names of the offered types take

# What a text is offered as, the best first, in lower case. STRING is Latin-1 (ICCCM, section 2.6.2).
_ASKS_FOR_TEXT: Final = frozenset({"text/plain;charset=utf-8", "text/plain"})
_LATIN_1: Final = "string"
_TEXT: Final = ("text/plain;charset=utf-8", "utf8_string", "text/plain", _LATIN_1)

_logger = logging.getLogger(__name__)

Login = Mapping[str, str]


class Selection(Enum):
    """One of the two; the value is what people call it."""

    CLIPBOARD = "clipboard"
    PRIMARY = "primary selection"


class SelectionError(LitterboxError):
    """The selection could not be had: nothing of that type is in it, it is too large, or no desktop works."""


@attrs.frozen(kw_only=True)
class _Desktop:
    """How one kind of desktop is spoken to: the `variable` of a login that is on one, and command lines.

    One whose `copy` is `hasty` ends before the desktop has heard of it.
    """

    variable: str
    package: str
    complaint_of_empty: str
    hasty: bool = False
    copy: Callable[[Selection, str], list[str]]
    types: Callable[[Selection], list[str]]
    paste: Callable[[Selection, str], list[str]]


def _wl(program: str, which: Selection, *options: str) -> list[str]:
    return [program, *options, *(["--primary"] if which is Selection.PRIMARY else [])]


def _xclip(direction: str, which: Selection, target: str) -> list[str]:
    return ["xclip", direction, "-selection", which.name.lower(), "-target", target]


_DESKTOPS: Final = (
    _Desktop(
        variable="WAYLAND_DISPLAY",
        package="wl-clipboard",
        complaint_of_empty="Nothing is copied",
        copy=lambda which, type_: _wl("wl-copy", which, f"--type={type_}"),
        types=lambda which: _wl("wl-paste", which, "--list-types"),
        paste=lambda which, type_: _wl("wl-paste", which, "--no-newline", f"--type={type_}"),
    ),
    _Desktop(
        variable="DISPLAY",
        package="xclip",
        complaint_of_empty="Error: target TARGETS not available",
        hasty=True,  # the process that xclip leaves behind is the one that tells the X server
        # xclip offers one target only, and this is the one in which programs of X look for text.
        copy=lambda which, type_: _xclip("-in", which, "UTF8_STRING" if asks_for_text(type_) else type_),
        types=lambda which: _xclip("-out", which, "TARGETS"),
        paste=lambda which, type_: _xclip("-out", which, type_),
    ),
)


def asks_for_text(media_type: str) -> bool:
    """Whether the type means plain text, whatever the desktop calls it."""
    return media_type.lower() in _ASKS_FOR_TEXT


@attrs.frozen
class Selections:
    """The selections of the logins that `displays` tells, the newest first, each as a small environment."""

    displays: Callable[[], Sequence[Login]]

    async def set(self, which: Selection, media_type: str, content: BinaryIO) -> None:
        """Make the file's content what the selection holds. Raises SelectionError.

        The tool leaves a process that serves the content until something else is copied, or the desktop ends. That
        process outlives the daemon, as what was copied outlives the program that it was copied in.
        """
        trouble = _Trouble()
        for desktop, login in _ways(self.displays()):
            content.seek(0)
            try:
                await tool.run(desktop.copy(which, media_type), login, stdin=content)
            except ToolError as error:
                trouble.happened(desktop, error)
                continue
            if desktop.hasty:
                await _settle(desktop, login, which, media_type, content)
            return
        raise SelectionError(trouble.sentence())

    async def get(self, which: Selection, media_type: str) -> bytes:
        """What the selection holds, as that type, at most MAX_SIZE bytes. Raises SelectionError."""
        trouble = _Trouble()
        for desktop, login in _ways(self.displays()):
            try:
                return await _read(desktop, login, which, media_type)
            except ToolError as error:
                trouble.happened(desktop, error)
        raise SelectionError(trouble.sentence())


async def _settle(desktop: _Desktop, login: Login, which: Selection, media_type: str, content: BinaryIO) -> None:
    """Wait until the selection holds the content, or, after a while, something else: others may copy too."""
    content.seek(0)
    copied = content.read()
    with trio.move_on_after(_SETTLE_TIMEOUT):
        while True:
            with suppress(SelectionError, ToolError):
                if await _read(desktop, login, which, media_type) == copied:
                    return
            await trio.sleep(_SETTLE_TIMEOUT / 100)


def _ways(logins: Sequence[Login]) -> Iterator[tuple[_Desktop, Login]]:
    for login in logins:
        for desktop in _DESKTOPS:
            if login.get(desktop.variable):
                yield desktop, login


def _offered(wanted: str, offered: Sequence[str]) -> str | None:
    """The offered type that is the wanted one, as its owner spells it; None where there is none."""
    spellings = {spelling.lower(): spelling for spelling in reversed(offered)}
    names = _TEXT if asks_for_text(wanted) else (wanted.lower(),)
    return next((spellings[name] for name in names if name in spellings), None)


async def _read(desktop: _Desktop, login: Login, which: Selection, media_type: str) -> bytes:
    """Raises SelectionError, and ToolError where the desktop does not work."""
    try:
        listed = await tool.run(desktop.types(which), login, most=_MAX_LIST_LENGTH)
    except ToolError as error:
        if error.sentence == desktop.complaint_of_empty:
            raise SelectionError(f"the {which.value} is empty") from None
        raise
    offered = _offered(media_type, listed.decode("utf-8", "replace").splitlines())
    if offered is None:
        raise SelectionError(f"the {which.value} holds nothing of the type {quoted(media_type)}")
    return await _content(desktop, login, which, offered)


async def _content(desktop: _Desktop, login: Login, which: Selection, offered: str) -> bytes:
    try:
        content = await tool.run(desktop.paste(which, offered), login, most=MAX_SIZE)
    except TooMuchOutput:
        raise _too_large(which) from None
    except ToolError as error:
        _logger.warning("%s: %s", desktop.package, escape_untrusted(error.sentence))
        raise SelectionError(f"the {which.value} could not be read") from error
    if offered.lower() == _LATIN_1:
        content = content.decode("latin-1").encode()
        if len(content) > MAX_SIZE:
            raise _too_large(which)
    return content


def _too_large(which: Selection) -> SelectionError:
    return SelectionError(f"the {which.value} holds more than {MAX_SIZE:,} bytes, and no more go through")


@attrs.define
class _Trouble:
    """Why no login's desktop worked."""

    missing: list[str] = attrs.field(factory=list)
    failed: bool = False

    def happened(self, desktop: _Desktop, error: ToolError) -> None:
        _logger.warning("%s: %s", desktop.package, escape_untrusted(error.sentence))
        if isinstance(error, ToolMissing):
            self.missing.append(desktop.package)
        else:
            self.failed = True

    def sentence(self) -> str:
        if self.missing and not self.failed:
            return f"the host has no {' and no '.join(dict.fromkeys(self.missing))} installed"
        if self.failed:
            return "no login of the box has a clipboard that works"
        return "no login of the box has a display, so there is no clipboard"
