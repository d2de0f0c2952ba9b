"""What a dialog asks and what it may return: pure data, and the text a person reads.

Everything in a question may come from a hostile box. It becomes text that says what it is: no character of it
can move, hide or imitate another, and none makes the window larger than the screen.
"""

import unicodedata
from enum import Enum
from typing import Final

import attrs

LONGEST_VALUE: Final = 160  # characters of one value, about three lines of the window
LINE: Final = 64  # columns; as wide as a line with a fingerprint, and narrower than any screen
_INDENT: Final = "    "
_LEFT_TO_RIGHT: Final = "\N{LEFT-TO-RIGHT MARK}"  # a line in Hebrew starts at the left margin, like its label
_MOST_MARKS: Final = 2  # combining marks on one letter; more only serve to overprint the lines around it

# What unicodedata does not file under control or format, and a font draws as nothing or as a blank.
_INVISIBLE: Final = frozenset(
    "\N{COMBINING GRAPHEME JOINER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HANGUL FILLER}"
    "\N{HALFWIDTH HANGUL FILLER}\N{KHMER VOWEL INHERENT AQ}\N{KHMER VOWEL INHERENT AA}"
    "\N{BRAILLE PATTERN BLANK}"
    "\N{MONGOLIAN FREE VARIATION SELECTOR ONE}\N{MONGOLIAN FREE VARIATION SELECTOR TWO}"
    "\N{MONGOLIAN FREE VARIATION SELECTOR THREE}"
).union(map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0)))


class Answer(Enum):
    """How a question ended; the value is the word for the log."""

    APPROVED_ONCE = "approved"
    APPROVED_SESSION = "approved for this session"
    REMEMBERED = "approved earlier for this session"
    DECLINED = "declined"
    TIMED_OUT = "timed out"
    WITHDRAWN = "withdrawn"
    NOT_SHOWN = "not shown"
    PAUSED = "paused"
    CROWDED = "too many waiting"

    @property
    def approved(self) -> bool:
        return self in _APPROVALS


_APPROVALS: Final = frozenset({Answer.APPROVED_ONCE, Answer.APPROVED_SESSION, Answer.REMEMBERED})


@attrs.frozen
class Approval:
    """What "for this session" remembers: this request type, subject (a key, a command) and destination."""

    request: str
    subject: str
    destination: str


@attrs.frozen(kw_only=True)
class Question:
    """One thing to ask: box `box` wants what `asks` says, in words that follow 'The box "NAME" asks '.

    `box` is None where a program of the host's own asks (`litterbox agent`). `fields` are label and value, in
    order; a label is ours, a value may be the box's. `request` is the request's exact bytes. Two questions that
    are equal in all of this share one dialog; `claims`, fields that only the requester vouches for, do not tell
    them apart. `approval` is what an answer "for this session" would cover, or None where that is not offered;
    with `once`, it is the only approval there is.
    """

    box: str | None
    asks: str
    fields: tuple[tuple[str, str], ...]
    request: bytes
    claims: tuple[tuple[str, str], ...] = attrs.field(default=(), eq=False)
    approval: Approval | None = None
    once: bool = False

    @property
    def offers_session(self) -> bool:
        return self.approval is not None

    @property
    def who(self) -> str:
        """Whose request it is, for the log: the box's name, or the agent's own."""
        return self.box or "agent"


def title(question: Question) -> str:
    return "Litterbox agent" if question.box is None else f"Litterbox: {visible(question.box)}"


def text(question: Question) -> str:
    """The body of the dialog: plain text in lines of at most LINE columns, no markup.

    Only the first line of a field begins at the margin, so no value can pass for another field.
    """
    asker = "A program on this computer" if question.box is None else f'The box "{visible(question.box)}"'
    lines = [*_folded(f"{asker} asks {visible(question.asks)}."), ""]
    for label, value in (*question.fields, *question.claims):
        lines += _folded(f"{label}: {visible(value)}")
    return "\n".join(line if line.isascii() else f"{_LEFT_TO_RIGHT}{line}" for line in lines)


def visible(value: str, *, longest: int = LONGEST_VALUE) -> str:
    r"""`value` on one line, with every character that is not plainly visible as its escape (`\n`, `\u202e`).

    That is control, format (bidi, zero-width), line and paragraph separator, private, unassigned,
    blank-drawing and surplus combining characters. Longer than `longest`, it loses its middle and says how
    much of it.
    """
    if len(value) > longest:
        cut = len(value) - longest
        head, tail = value[: longest - longest // 2], value[-(longest // 2) :]
        return f"{_escaped(head)} [… {cut:,} characters …] {_escaped(tail)}"
    return _escaped(value)


def _escaped(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    shown = []
    marks = 0
    for character in value:
        category = unicodedata.category(character)
        marks = marks + 1 if category[0] == "M" else 0
        if _is_hidden(character, category) or marks > _MOST_MARKS:
            shown.append(character.encode("unicode_escape").decode("ascii"))
        else:
            shown.append(character)
    return "".join(shown)


def _is_hidden(character: str, category: str) -> bool:
    if category[0] in "CZ":
        return character != " "
    return category == "Me" or character in _INVISIBLE or _is_oversized(character, category)


def _is_oversized(character: str, category: str) -> bool:
    """Arabic ligatures of whole phrases, and ancient scripts: single letters as wide as a sentence."""
    return "\ufb50" <= character <= "\ufdff" or (category == "Lo" and "\U00010000" <= character <= "\U0001ffff")


def _folded(line: str) -> list[str]:
    """Break one line at spaces, or anywhere where there is none."""
    rows = []
    while (fits := _fitting(line)) < len(line):
        space = line.rfind(" ", len(_INDENT) + 1, fits + 1)
        end = fits if space < 0 else space
        rows.append(line[:end])
        line = _INDENT + line[end:].lstrip(" ")
    return [*rows, line]


def _fitting(line: str) -> int:
    """How many characters of `line` take at most LINE columns."""
    columns = 0
    for index, character in enumerate(line):
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if columns > LINE:
            return index
    return len(line)
