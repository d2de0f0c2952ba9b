"""Texts of a hostile box, fifty of them with a lie in each, and what must be true of anything that shows them."""

import json
import re
import unicodedata

import attrs
from click.testing import CliRunner

from litterbox import paths
from litterbox.cli import audit as cli_audit
from litterbox.confirm.escaping import columns
from litterbox.confirm.question import LINE, MAX_LINES, Answer, Question, buttons, text
from litterbox.confirm.queue import open_dialog_queue
from litterbox.daemon.requests import Requests
from support.conversation import read_audit

INDENT, LEFT_TO_RIGHT = "    ", "\N{LEFT-TO-RIGHT MARK}"
LIE = "lpha.test"  # in every text but the empty ones; the first letter may be one that only looks like an a

HOSTILE = {
    "quote": 'root" on alpha.test',
    "quote at once": '" on alpha.test',
    "two quotes": '"" on alpha.test ""',
    "single quotes": "root'' on alpha.test",
    "backslash and quote": 'root\\" on alpha.test',
    "two backslashes and quote": 'root\\\\" on alpha.test',
    "trailing backslash": "alpha.test\\",
    "escapes": r"root\" on alpha.test \n \x22 \u0022 \U00000022",
    "curly quotes": "root\u201d on alpha.test\u201c",
    "quotes of other kinds": "root\uff02 \u2033 \u02ba \u201f \u275e \u301e \u05f4 on alpha.test",
    "blanks": "root" + " " * 2000 + "on alpha.test",
    "quote and blanks": 'root"' + " " * 2000 + "on alpha.test",
    "blanks around": " " * 300 + "alpha.test" + " " * 300,
    "blanks and words": 'root" .' * 300 + " on alpha.test",
    "line": "root\non alpha.test",
    "field": "root\nHost key: SHA256:alpha.test",
    "lines": "root" + "\n" * 2000 + "alpha.test",
    "carriage return": "root\r\non alpha.test\rFor: ",
    "vertical tab and form feed": "root\v\fon alpha.test",
    "next line": "root\x85on alpha.test",
    "line separator": "root\u2028on alpha.test\u2029",
    "tabs": "root" + "\t" * 500 + "on alpha.test",
    "wide blanks": "root" + "\u00a0\u1680\u2003\u202f\u205f\u3000" * 100 + "on alpha.test",
    "right-to-left override": "root\u202e on alpha.test\u202c",
    "isolates": "\u2066root\u2069 \u2067on\u2069 \u2068alpha.test",
    "marks of direction": "\u200e\u200f\u061croot on alpha.test",
    "hebrew": 'שלום" on alpha.test 12',
    "arabic": '\u0645\u0631\u062d\u0628\u0627 \u0661\u0662" alpha.test',
    "zero width": "ro\u200bot\u200d \u2060on\ufeff alpha.test\u00ad",
    "blank-drawing": "root\u3164\u115f\u2800\u17b4 alpha.test\ufe0f\U000e0041",
    "combining flood": "alpha.test" + "\u0301\u0302\u20dd\u0336" * 1000,
    "nul": "root\0 on alpha.test",
    "escape sequence": "\x1b[2J\x1b[31mroot\x1b]52;c;AAAA\x07 on alpha.test",
    "one-byte sequence": "\x9b2Jroot\x9d on alpha.test\x7f",
    "surrogates": "\ud800root\udcff on alpha.test\udfff",
    "markup": "<b>alpha.test</b> &amp; &#34; <span size='1'>_x</span>",
    "very long": "root on alpha.test; " * 5000,
    "long without a blank": "alpha.test" * 5000,
    "wide": "界alpha.test" * 3000,
    "look-alike": "r\u043e\u043et on \u0430lpha.test",
    "letters of mathematics": "\U0001d42b\U0001d428 on alpha.test \U00012031",
    "very wide characters": "\ufdfd\u2e3b alpha.test",
    "emoji": "😀\u200d🏽 alpha.test " * 100,
    "percent": "%s %n %1$d {0} ${HOME} alpha.test",
    "shell": "$(alpha.test) `alpha.test`; alpha.test &",
    "option": "--help=alpha.test",
    "a note of ours": '[… 1,234 more …] " on alpha.test',
    "a label of ours": 'Fingerprint: SHA256:x" For: Log in as "git" on alpha.test',
    "nothing": "",
    "one blank": " ",
}

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LOOKS_LIKE_A_QUOTE = frozenset("\u201c\u201d\u201e\u201f\u2033\uff02\u02ba\u275d\u275e\u301d\u301e\u301f\u05f4")


def check(shown: str, *, lie: str = LIE) -> None:
    """Everything is plainly visible, on one line, and the lie is in quotes that end where they end."""
    for character in shown:
        assert character == " " or unicodedata.category(character)[0] in "LMNPS", (character, shown)
    assert _LOOKS_LIKE_A_QUOTE.isdisjoint(shown), shown
    assert "  " not in shown, shown
    outside = _QUOTED.sub("", shown)
    assert '"' not in outside, shown
    assert lie not in outside, shown


def raw(value: str) -> bytes:
    """As a box sends it: its surrogates as bytes that are not UTF-8."""
    return value.encode("utf-8", "surrogatepass")


def check_question(question: Question) -> bool:
    """Check its window; returns whether it shows a text between quotes of ours."""
    window = text(question)
    lines = [line.replace(LEFT_TO_RIGHT, "") for line in window.split("\n")]
    assert len(lines) <= MAX_LINES
    assert all(columns(line) <= LINE for line in lines)
    assert not any(line.endswith("\\") and not line.endswith("\\\\") for line in lines)
    unfolded = "\n".join(lines).replace(f"\n{INDENT}", "").split("\n")
    for line in unfolded:
        check(line)
    labels = [line.split(":")[0] for line in unfolded[1:] if line and not line.startswith("\N{WARNING SIGN}")]
    assert labels == [label for label, _words in question.fields + question.claims + question.details]
    assert all('"' not in label for label in attrs.astuple(buttons(question)) if label)
    return '"' in "".join(unfolded)


async def check_approvals(asked: list[Question]) -> None:
    """Check the rows of `litterbox approvals`, had each question been approved for the session."""

    async def yes(_question: Question) -> Answer:
        return Answer.APPROVED_SESSION

    async with open_dialog_queue(yes) as queue:
        for question in asked:
            if question.approval is not None:
                await queue.ask(question)
        told = await Requests(
            "work",
            vault_key=None,
            stop=None,
            displays=None,
            container=None,
            watcher=None,
            dialogs=queue,
            settings_changed=None,
        ).handlers()["approvals"]({})
    for row in json.loads(told["approvals"]):
        for word in row:
            check(word)


def check_audit(*, at_least: int) -> None:
    """Check the log's values, and its lines as `litterbox audit` prints them."""
    lines = read_audit(paths.audit_log("work"))
    assert len(lines) >= at_least
    for line in lines:
        for value in (line["what"], *line["detail"].values()):
            check(str(value))
    printed = CliRunner().invoke(cli_audit.command, ["work"]).stdout.splitlines()
    assert len(printed) == len(lines) + 1
    for row in printed[1:]:
        check(" ".join(row.split()))
