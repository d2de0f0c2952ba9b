"""What a dialog asks and what it may return: pure data, and the text a person reads.

Everything in a question may come from a hostile box. It becomes text that says what it is: no character of it
can move, hide or imitate another, and none makes the window larger than the screen.
"""

import re
from enum import Enum
from typing import Final

import attrs

from litterbox.confirm.escaping import MAX_VALUE_WIDTH, columns, escape_untrusted
from litterbox.confirm.said import Words, is_whole, rendered

LINE: Final = 68  # columns; a little more than a line with a fingerprint, and narrower than any screen
MAX_LINES: Final = 21  # with the buttons they fill 800 pixels, where a font is large
MAX_TITLE_WIDTH: Final = 70  # columns; about a line and a half of zenity 4's large letters
MAX_FIELDS: Final = 8  # each takes two lines at the smallest of _SIZES

# The longest value, and the longest claim, in columns. A fingerprint, at 50, is never cut.
_SIZES: Final = ((MAX_VALUE_WIDTH, 120), (MAX_VALUE_WIDTH, 60), *((size, 50) for size in range(140, 49, -10)))

# A line is broken only between these, so that none begins in the middle of an escape: with a quote, say.
_UNBROKEN: Final = re.compile(r"\\(?:U[0-9a-f]{8}|u[0-9a-f]{4}|x[0-9a-f]{2}|.)|.", re.DOTALL)

_INDENT: Final = "    "
# Stands in a window that is shown again. `shows_all` keeps room for it.
TOO_SOON: Final = "An answer within the first second is not taken. Please answer again."

_WARNING_SIGN: Final = "\N{WARNING SIGN}"
_LEFT_TO_RIGHT: Final = "\N{LEFT-TO-RIGHT MARK}"  # a line in Hebrew starts at the left margin, like its label


Fields = tuple[tuple[str, Words], ...]


@attrs.frozen
class Buttons:
    """The labels of the two buttons that approve; the second is None where a question does not offer it."""

    approve: str
    approve_lasting: str | None


class Answer(Enum):
    """How a question ended; the value is the word for the log."""

    APPROVED_ONCE = "approved"
    APPROVED_SESSION = "approved for this session"
    REMEMBERED = "approved earlier for this session"
    ALLOWED = "approved by policy"
    REFUSED = "refused by policy"
    DECLINED = "declined"
    TIMED_OUT = "timed out"
    WITHDRAWN = "withdrawn"
    NOT_SHOWN = "not shown"
    PAUSED = "paused"
    CROWDED = "too many waiting"

    @property
    def approved(self) -> bool:
        return self in _APPROVALS

    @property
    def decided_by(self) -> str:
        """Who decided, for the audit log; what is not listed was decided by the person at the dialog."""
        return _DECIDED_BY.get(self, "dialog")


_DECIDED_BY: Final = {
    Answer.REMEMBERED: "session approval",
    Answer.ALLOWED: "policy",
    Answer.REFUSED: "policy",
    Answer.TIMED_OUT: "timeout",
    Answer.WITHDRAWN: "disconnect",
    Answer.NOT_SHOWN: "no display",
    Answer.PAUSED: "pause",
    Answer.CROWDED: "full queue",
}
_APPROVALS: Final = frozenset({Answer.APPROVED_ONCE, Answer.APPROVED_SESSION, Answer.REMEMBERED, Answer.ALLOWED})


class Kind(Enum):
    """What a request is for. The user's refusals of one kind pause that kind and no other; the value is for the log."""

    SSH = "its SSH agent"
    NOTIFY = "notifications"
    LINK = "links"
    CLIPBOARD_SET = "setting the clipboard"
    CLIPBOARD_GET = "reading the clipboard"
    HOST_COMMAND = "commands of the host"


@attrs.frozen
class Approval:
    """What the button "… until the box stops" remembers: this request type, subject (a key, a command) and destination.

    `called` is what people call the destination, and `subject_called` the subject: a box's text in quotes. `allows` are
    the words of the button that follow "Allow": they are Litterbox's and hold no text of a box. None of the three tells
    two approvals apart.
    """

    request: str
    subject: str
    destination: str
    called: str = attrs.field(default="", eq=False)
    subject_called: str = attrs.field(default="", eq=False)
    allows: str = attrs.field(default="this", eq=False)


@attrs.frozen(kw_only=True)
class Question:
    """One thing to ask: whether box `box` may do what `action` says, in the words of 'NAME: ACTION?'.

    `box` is None where a program of the host's own asks (`litterbox agent`). `warning` says why the request deserves
    a second look, and is empty where nothing speaks against it. `fields` are label and value, in order; a label is
    Litterbox's and short, and in a value, whatever is the box's is `Said`. `details` are fields that few people need,
    and stand last. `request` is the request's exact bytes, and `kind` what its refusals count for. Two questions that
    are equal in all of this share one dialog; `claims`, fields that only the requester vouches for, do not tell them
    apart, and neither does `waiting`, the number of questions behind this one. `approval` is what an answer "until
    the box stops" would cover, or None where that is not offered; with `once`, it is the only approval there is.

    Raises ValueError for more than MAX_FIELDS fields and claims, and for `once` without an approval: a window
    could not show the one, nor keep its word in the other.
    """

    box: str | None
    action: Words
    fields: Fields
    request: bytes
    warning: Words = ""
    details: Fields = ()
    claims: Fields = attrs.field(default=(), eq=False)
    waiting: int = attrs.field(default=0, eq=False)
    approval: Approval | None = None
    once: bool = False
    kind: Kind = Kind.SSH

    def __attrs_post_init__(self) -> None:
        if len(self.fields) + len(self.details) + len(self.claims) > MAX_FIELDS:
            raise ValueError(f"a question has at most {MAX_FIELDS} fields")
        if self.once and self.approval is None:
            raise ValueError("what is asked once and for all needs an approval to remember")

    @property
    def who(self) -> str:
        """Whose request it is, for the log: the box's name, or the agent's own."""
        return self.box or "agent"


def title(question: Question) -> str:
    """Return the title of the window: whose it is, the question, and "1 of 6" where more questions wait.

    Zenity 4 shows it large, above the text. It is at most MAX_TITLE_WIDTH columns wide, but for Litterbox's own words.
    """
    whose = "Litterbox agent" if question.box is None else f"Litterbox: {escape_untrusted(question.box)}"
    asked = f"{whose}: {rendered(question.action, MAX_TITLE_WIDTH, isolated=True)}?"
    return f"{asked} (1 of {question.waiting + 1})" if question.waiting else asked


def buttons(question: Question) -> Buttons:
    """Return the labels of the question's buttons. No label holds text of a box."""
    lasting = f"Allow {question.approval.allows} {until(question.box)}" if question.approval else None
    if question.once and lasting is not None:
        return Buttons(approve=lasting, approve_lasting=None)
    return Buttons(approve="Allow once", approve_lasting=lasting)


def until(box: str | None) -> str:
    """Return how long an approval that lasts does so."""
    return "until the agent stops" if box is None else "until the box stops"


def text(question: Question, note: str = "") -> str:
    """Return the body of the dialog: plain text in at most MAX_LINES lines of at most LINE columns, no markup.

    `note` is a sentence of Litterbox's that stands below the question.

    Only the first line of a field begins at the margin, so no value can pass for another field. Where there is too
    much, values lose of their middles, the longest first, and claims before what Litterbox vouches for. Raises
    ValueError where our own words alone are too many: none of them is ever cut.
    """
    for longest, longest_claim in _SIZES:
        lines = _lines(question, longest, longest_claim, note)
        if len(lines) <= MAX_LINES:
            break
    else:
        lines = [line for line in lines if line]  # the empty lines between the parts are the last to go
    if len(lines) > MAX_LINES:
        raise ValueError(f"a question whose own words take more than {MAX_LINES} lines")
    return "\n".join(line if line.isascii() else f"{_LEFT_TO_RIGHT}{line}" for line in lines)


def shows_all(question: Question) -> bool:
    """Return whether `text` shows every value whole, also with TOO_SOON where the question is shown again."""
    longest, longest_claim = _SIZES[0]
    return (
        len(_lines(question, longest, longest_claim, TOO_SOON)) <= MAX_LINES
        and all(is_whole(value, longest) for _label, value in (*question.fields, *question.details))
        and all(is_whole(value, longest_claim) for _label, value in question.claims)
    )


def _lines(question: Question, longest: int, longest_claim: int, note: str = "") -> list[str]:
    who = "A program on this computer" if question.box is None else escape_untrusted(question.box)
    lines = _folded(f"{who}: {rendered(question.action, longest, isolated=True)}?")
    if question.warning:
        lines += ["", *_folded(f"{_WARNING_SIGN} {rendered(question.warning, longest, isolated=True)}")]
    if note:
        lines += ["", *_folded(note)]
    for part, limit in ((question.fields, longest), (question.claims, longest_claim), (question.details, longest)):
        lines += [""] if part else []
        for label, value in part:
            lines += _folded(f"{label}: {rendered(value, limit, isolated=True)}")
    return lines


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
    """How many characters of `line` take at most LINE columns, and are no part of an escape that does not fit."""
    width = fits = 0
    for unbroken in _UNBROKEN.finditer(line):
        width += columns(unbroken[0])
        if width > LINE:
            return fits
        fits = unbroken.end()
    return fits
