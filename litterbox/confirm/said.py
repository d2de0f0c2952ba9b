"""Sentences of ours that hold a box's text: which words are whose, and how both are shown.

A box's text is always a `Said`: in quotes, with no way out of them. What a sentence has no room for, its quoted texts
and its names lose from their middles; the words between them stay whole, so a sentence always says what it is.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from litterbox.confirm.escaping import CUT_NOTE, MAX_VALUE_WIDTH, columns, escape_untrusted, is_plain, quoted

MAX_LOGGED_WIDTH: Final = 800  # columns of one value in the audit log, which cuts what is longer than 1,000 characters
MAX_APPROVED_WIDTH: Final = 100  # columns of what one approval is called

_SHORTEST: Final = 10  # columns of a text or a name that are always shown
_WIDEST: Final = len("\\U00000000")  # columns of the longest escape
_LEFT_TO_RIGHT: Final = "\N{LEFT-TO-RIGHT MARK}"
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})  # classes of letters and digits (Unicode's annex 9, table 4)


@attrs.frozen
class Said:
    """Text of a box, or of whoever asks: shown in quotes, escaped, and as long as there is room for."""

    text: str

    def shown(self, longest: int) -> str:
        return quoted(self.text, longest=longest)


@attrs.frozen
class Known:
    """A name that the user or the host's own files gave: shown without quotes, and as long as there is room for."""

    text: str

    def shown(self, longest: int) -> str:
        return escape_untrusted(self.text, longest=longest)


Sentence = tuple[str | Said | Known, ...]  # a string in it is ours, and always shown whole
Words = str | Sentence  # a string alone is one `Known`


def rendered(words: Words, longest: int = MAX_VALUE_WIDTH, *, isolated: bool = False) -> str:
    """The sentence in about `longest` columns: more only where our own words, and the ends of the others, need more.

    With `isolated`, a mark on either side of the quotes keeps a text that is written from right to left from moving the
    words around it; for windows only, for a log would show the mark's escape.
    """
    parts = _parts(words)
    plain = _plain(parts)
    if plain is not None and len(plain) <= longest:
        return plain
    return "".join(
        part if isinstance(part, str) else _marked(part, part.shown(room), isolated=isolated)
        for part, room in zip(parts, _rooms(parts, longest), strict=True)
    )


def logged(words: Words, longest: int = MAX_LOGGED_WIDTH) -> str:
    """The sentence for the audit log."""
    return rendered(words, longest)


def is_whole(words: Words, longest: int) -> bool:
    """Whether `rendered` leaves nothing out."""
    parts = _parts(words)
    return all(
        isinstance(part, str) or _need(part, room) <= room
        for part, room in zip(parts, _rooms(parts, longest), strict=True)
    )


def joined(items: Sequence[Sentence], between: str) -> Sentence:
    """The items as one sentence, `between` between them."""
    words: list[str | Said | Known] = []
    for item in items:
        words += (between, *item) if words else item
    return tuple(words)


def _plain(parts: Sentence) -> str | None:
    """The whole sentence where nothing in it needs an escape, as mostly; None elsewhere. Each signature is logged."""
    shown = []
    for part in parts:
        if isinstance(part, str):
            shown.append(part)
        elif not is_plain(part.text):
            return None
        else:
            shown.append(f'"{part.text}"' if isinstance(part, Said) else part.text)
    whole = "".join(shown)
    return whole if whole.isascii() else None


def _parts(words: Words) -> Sentence:
    return (Known(words),) if isinstance(words, str) else words


def _rooms(parts: Sentence, longest: int) -> Iterator[int]:
    """The columns that each part may take, quotes not counted; what there is goes to the shortest ones first."""
    ours = sum(columns(part) for part in parts if isinstance(part, str))
    others = [part for part in parts if not isinstance(part, str)]
    room = longest - ours - 2 * sum(isinstance(part, Said) for part in others)
    needs = sorted(_need(part, longest) for part in others)
    share = room
    for left, need in zip(range(len(needs), 0, -1), needs, strict=True):
        share = room // left
        if need > share:
            break
        room -= need
    for part in parts:
        if isinstance(part, str):
            yield 0
        elif _need(part, share) <= share:
            yield share
        else:  # the note on what was cut stands beside the text
            yield max(share - CUT_NOTE * (len(others) > 1), _SHORTEST)


def _need(part: Said | Known, most: int) -> int:
    """How many columns it takes whole, quotes not counted, where those are at most `most`."""
    if len(part.text) > most:
        return most + 1
    whole = part.shown(_WIDEST * len(part.text))
    return columns(whole) - 2 * isinstance(part, Said)


def _marked(part: Said | Known, shown: str, *, isolated: bool) -> str:
    if isolated and isinstance(part, Said) and any(map(_is_right_to_left, shown)):
        return f"{_LEFT_TO_RIGHT}{shown}{_LEFT_TO_RIGHT}"
    return shown


def _is_right_to_left(character: str) -> bool:
    return unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
