"""Reads and sets the clipboard and the primary selection of the user's desktop, with wl-clipboard or xclip.

The newest login whose desktop works is used. Callers have checked every media type, because it becomes an argument.
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

MAX_SIZE: Final = 16 * 1024 * 1024  # bytes of one copy or paste

_SETTLE_TIMEOUT: Final = 1.0  # seconds
_MAX_LIST_LENGTH: Final = 64 * 1024  # bytes of the list of offered types

# The types under which programs offer a text, in lower case and in order of preference.
# STRING is Latin-1 (ICCCM, section 2.6.2).
_ASKS_FOR_TEXT: Final = frozenset({"text/plain;charset=utf-8", "text/plain"})
_LATIN_1: Final = "string"
_TEXT: Final = ("text/plain;charset=utf-8", "utf8_string", "text/plain", _LATIN_1)

_logger = logging.getLogger(__name__)

Login = Mapping[str, str]


class Selection(Enum):
    """Which of the two selections. The value is its name in sentences."""

    CLIPBOARD = "clipboard"
    PRIMARY = "primary selection"


class SelectionError(LitterboxError):
    """The selection holds nothing of that type, or too much, or no desktop works."""


@attrs.frozen(kw_only=True)
class _Desktop:
    """The command lines for one kind of desktop. A login has such a desktop where it has the environment `variable`.

    With `copies_later`, the `copy` command ends before the desktop knows the new content.
    """

    variable: str
    package: str
    complaint_of_empty: str
    copies_later: bool = False
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
        copies_later=True,  # the process that xclip leaves in the background tells the X server
        # xclip offers one target only. Programs of X look for text in this one.
        copy=lambda which, type_: _xclip("-in", which, "UTF8_STRING" if asks_for_text(type_) else type_),
        types=lambda which: _xclip("-out", which, "TARGETS"),
        paste=lambda which, type_: _xclip("-out", which, type_),
    ),
)


def asks_for_text(media_type: str) -> bool:
    """Whether the type means plain text, for which desktops have several names."""
    return media_type.lower() in _ASKS_FOR_TEXT


@attrs.frozen
class Selections:
    """The selections of the user's logins. `displays` returns the environment of each login, the newest first."""

    displays: Callable[[], Sequence[Login]]

    async def set(self, which: Selection, media_type: str, content: BinaryIO) -> None:
        """Put the content of the file into the selection. Raises SelectionError.

        The tool leaves a process that serves the content until something else is copied or the desktop ends. That
        process outlives the daemon, because users expect that a copied text outlives the program it comes from.
        """
        trouble = _Trouble()
        for desktop, login in _desktops_of(self.displays()):
            content.seek(0)
            try:
                await tool.run(desktop.copy(which, media_type), login, stdin=content)
            except ToolError as error:
                trouble.add(desktop, error)
                continue
            if desktop.copies_later:
                await _settle(desktop, login, which, media_type, content)
            return
        raise SelectionError(trouble.sentence())

    async def get(self, which: Selection, media_type: str) -> bytes:
        """Return the content of the selection as that type, at most MAX_SIZE bytes. Raises SelectionError."""
        trouble = _Trouble()
        for desktop, login in _desktops_of(self.displays()):
            try:
                return await _read(desktop, login, which, media_type)
            except ToolError as error:
                trouble.add(desktop, error)
        raise SelectionError(trouble.sentence())


async def _settle(desktop: _Desktop, login: Login, which: Selection, media_type: str, content: BinaryIO) -> None:
    """Wait until the selection holds the content. Gives up after a while, since another program may have copied."""
    content.seek(0)
    copied = content.read()
    with trio.move_on_after(_SETTLE_TIMEOUT):
        while True:
            with suppress(SelectionError, ToolError):
                if await _read(desktop, login, which, media_type) == copied:
                    return
            await trio.sleep(_SETTLE_TIMEOUT / 100)


def _desktops_of(logins: Sequence[Login]) -> Iterator[tuple[_Desktop, Login]]:
    for login in logins:
        for desktop in _DESKTOPS:
            if login.get(desktop.variable):
                yield desktop, login


def _offered(wanted: str, offered: Sequence[str]) -> str | None:
    """Return the offered type that matches `wanted`, as its owner spells it. None where no type matches."""
    spellings = {spelling.lower(): spelling for spelling in reversed(offered)}
    names = _TEXT if asks_for_text(wanted) else (wanted.lower(),)
    return next((spellings[name] for name in names if name in spellings), None)


async def _read(desktop: _Desktop, login: Login, which: Selection, media_type: str) -> bytes:
    """Read the selection on one login. Raises SelectionError, and ToolError where the desktop does not work."""
    try:
        listed = await tool.run(desktop.types(which), login, max_output=_MAX_LIST_LENGTH)
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
        content = await tool.run(desktop.paste(which, offered), login, max_output=MAX_SIZE)
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
    return SelectionError(f"the {which.value} holds more than {MAX_SIZE:,} bytes, which is the limit")


@attrs.define
class _Trouble:
    """Collects the reasons why no login's desktop worked."""

    missing: list[str] = attrs.field(factory=list)
    failed: bool = False

    def add(self, desktop: _Desktop, error: ToolError) -> None:
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
