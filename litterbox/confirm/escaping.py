r"""Text from a hostile box as text that says what it is: no character of it can move, hide or imitate another.

Nothing here knows of questions; `text` of question.py puts the lines together.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

MAX_VALUE_WIDTH: Final = 160  # columns of one value, about three lines of the window
MAX_QUOTED_WIDTH: Final = 48  # columns of a name within a sentence of ours, which must keep both its ends
CUT_NOTE: Final = len(" [… 262,144 more …] ")  # columns of what stands for a lost middle, of a message's length

_QUOTE: Final = '"'
_BACKSLASH: Final = "\\"
_NOT_PLAIN: Final = frozenset(_QUOTE + _BACKSLASH)
_FOLDED_SPACE: Final = r"\x20"

# What looks like the quote that ends a quoted text, and does not end it.
_LIKE_A_QUOTE: Final = frozenset(
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}"
    "\N{DOUBLE HIGH-REVERSED-9 QUOTATION MARK}\N{DOUBLE PRIME}\N{REVERSED DOUBLE PRIME}\N{FULLWIDTH QUOTATION MARK}"
    "\N{MODIFIER LETTER DOUBLE PRIME}\N{DOUBLE ACUTE ACCENT}\N{MODIFIER LETTER DOUBLE APOSTROPHE}\N{DITTO MARK}"
    "\N{REVERSED DOUBLE PRIME QUOTATION MARK}\N{DOUBLE PRIME QUOTATION MARK}\N{LOW DOUBLE PRIME QUOTATION MARK}"
    "\N{HEBREW PUNCTUATION GERSHAYIM}\N{HEAVY DOUBLE TURNED COMMA QUOTATION MARK ORNAMENT}"
    "\N{HEAVY DOUBLE COMMA QUOTATION MARK ORNAMENT}"
)
_MAX_MARKS: Final = 2  # combining marks on one letter; more only serve to overprint the lines around it

# What unicodedata does not file under control or format, and a font draws as nothing or as a blank.
_INVISIBLE: Final = frozenset(
    "\N{COMBINING GRAPHEME JOINER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}"
    "\N{HALFWIDTH HANGUL FILLER}\N{KHMER VOWEL INHERENT AQ}\N{KHMER VOWEL INHERENT AA}"
    "\N{BRAILLE PATTERN BLANK}"
    "\N{MONGOLIAN FREE VARIATION SELECTOR ONE}\N{MONGOLIAN FREE VARIATION SELECTOR TWO}"
    "\N{MONGOLIAN FREE VARIATION SELECTOR THREE}"
).union(map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0)))

_IN_QUOTES: Final[Mapping[str, str]] = {
    _QUOTE: _BACKSLASH + _QUOTE,
    _BACKSLASH: _BACKSLASH * 2,
    **{character: character.encode("unicode_escape").decode("ascii") for character in sorted(_LIKE_A_QUOTE)},
}


def escape_untrusted(value: str, *, longest: int = MAX_VALUE_WIDTH) -> str:
    r"""`value` on one line, with every character that is not plainly visible as its escape (`\n`, `\u202e`).

    That is control, format (bidi, zero-width), line and paragraph separator, private, unassigned,
    blank-drawing, oversized and surplus combining characters. Where what is then shown is wider than `longest`
    columns, it loses its middle and says how many characters of `value` that was.
    """
    return _bounded(value, longest, {})


def quoted(value: str, *, longest: int = MAX_QUOTED_WIDTH) -> str:
    r"""`value` in quotes, for a sentence of ours: nothing in it ends the quotes, or looks as if it did.

    A quote in it becomes `\"`, a backslash `\\`, and a character that looks like a quote its escape. A blank that
    follows a blank becomes `\x20`, so that blanks cannot push text out of sight. The rest is as in `visible`.
    """
    return f'"{_bounded(value, longest, _IN_QUOTES)}"'


def quoted_prefix(value: str, width: int) -> str:
    """As much of the beginning of `value` as is at most `width` columns wide in quotes."""
    shown, room = _shown(value[:width], _IN_QUOTES), width - 2
    for count, piece in enumerate(shown):
        room -= columns(piece)
        if room < 0:
            return value[:count]
    return value[:width]


def is_plain(value: str) -> bool:
    """Whether `value` is shown as it is, in quotes too: most names are, and need no look at each character."""
    return value.isascii() and value.isprintable() and _NOT_PLAIN.isdisjoint(value) and "  " not in value


def columns(text: str) -> int:
    """How wide `text` is at most, in columns as wide as a letter W."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    """One for the scripts of Europe and the Near East; two for the others, whose letters may be as wide as that."""
    return 1 if character < "\u0900" or "\u1e00" <= character < "\u2070" else 2


def _bounded(value: str, longest: int, escapes: Mapping[str, str]) -> str:
    if len(value) <= longest and is_plain(value):
        return value
    if len(value) <= longest and columns(whole := "".join(_shown(value, escapes))) <= longest:
        return whole
    head = _fitting(_shown(value[:longest], escapes), longest - longest // 2)
    tail = _fitting(reversed(_shown(value[-longest:], escapes)), longest // 2)
    cut = len(value) - len(head) - len(tail)
    return f"{''.join(head)} [… {cut:,} more …] {''.join(reversed(tail))}"


def _fitting(shown: Iterable[str], width: int) -> list[str]:
    """As many as fit, from the first on, without a blank at their end: the note on what was cut brings its own."""
    taken = []
    for piece in shown:
        width -= columns(piece)
        if width < 0:
            break
        taken.append(piece)
    while taken and taken[-1] == " ":
        taken.pop()
    return taken


def _shown(value: str, escapes: Mapping[str, str]) -> list[str]:
    """What stands for each character."""
    shown = []
    room = 0  # for marks: none before the first letter, on a space, or on an escape of ours
    before = ""
    for character in value:
        category = unicodedata.category(character)
        is_mark = category[0] == "M"
        if _is_hidden(character, category) or (is_mark and not room):
            shown.append(character.encode("unicode_escape").decode("ascii"))
            room = 0
        elif escapes and character == before == " ":
            shown.append(_FOLDED_SPACE)
        else:
            shown.append(escapes.get(character, character))
            room = room - 1 if is_mark else _MAX_MARKS * (character != " ")
        before = character
    return shown


def _is_hidden(character: str, category: str) -> bool:
    if category[0] in "CZ":
        return character != " "
    return category == "Me" or character in _INVISIBLE or _is_oversized(character, category)


def _is_oversized(character: str, category: str) -> bool:
    """Single characters as wide as a sentence: Arabic ligatures of whole phrases, the longest dashes, most that is
    beyond the first plane but emoji; there are also letters of mathematics, made to look like others.
    """
    if "\U00010000" <= character <= "\U0001ffff":
        return character < "\U0001f000" or category[0] != "S"
    return "\ufb50" <= character <= "\ufdff" or character in "\N{TWO-EM DASH}\N{THREE-EM DASH}"
