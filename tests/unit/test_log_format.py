"""What a box says in a log is on one line, escaped and bounded, whichever way it gets there."""

import logging
import subprocess
import sys

import pytest

from litterbox.log_format import MAX_LINE, MAX_LINES, EscapingFormatter, escape

FORGED = "x\n2026-11-25 08:00:00,000 INFO litterbox.agent: the user approved everything"
HOSTILE = [
    FORGED,
    FORGED.replace("\n", "\r"),
    FORGED.replace("\n", "\r\n"),
    "\x1b]0;PWNED\x07",
    "\x1b[2K\x1b[1A",
    "\x9b2K",  # CSI as one character
    "\x85",  # next line
    "\u2028",
    "\u2029",
    "\v\f\b\t\0\x7f",
    "\u202eabc\u202c",
    "\u2066abc\u2069",
    "\u200b\ufeff",
    "\ud800",  # a lone surrogate, which no encoding of a file takes
    b"\xff\xfe".decode("utf-8", "surrogateescape"),
    "\U000e0001",
]


def formatted(record: logging.LogRecord) -> str:
    return EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s").format(record)


def record_of(message: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("litterbox.agent", logging.WARNING, __file__, 1, message, arguments, exc_info)


def is_harmless(line: str) -> bool:
    line.encode("utf-8")
    return line.isprintable() and len(line) < MAX_LINE + 100


@pytest.mark.parametrize("words", HOSTILE)
def test_a_message_is_one_harmless_line_and_says_which_characters_it_had(words):
    line = formatted(record_of(words.replace("%", "%%")))
    assert is_harmless(line)
    assert "\\" in line


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("argument", [str, ValueError, lambda words: [words]])
def test_arguments_are_escaped_too(words, argument):
    line = formatted(record_of("refused: %s", argument(words)))
    assert is_harmless(line)


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("in_a_group", [False, True])
def test_a_traceback_is_marked_and_escaped(words, in_a_group):
    error = ExceptionGroup(words, [ValueError(words)]) if in_a_group else RuntimeError(words)
    error.__cause__ = KeyError(words)
    error.add_note(words)
    first, *others = formatted(record_of("a fault", error=error)).split("\n")
    assert first.endswith("a fault")
    assert others
    assert all(line.startswith("  | ") and is_harmless(line) for line in others)


def test_a_long_line_loses_its_middle_and_says_how_much():
    line = formatted(record_of("%s", "a" * 100_000 + "end"))
    assert len(line) < MAX_LINE + 100
    assert line.endswith("end")
    assert "characters" in line


def test_a_long_traceback_loses_its_middle():
    error = ValueError("\n".join(["line"] * 100_000))
    lines = formatted(record_of("a fault", error=error)).split("\n")
    assert len(lines) < MAX_LINES + 5


def test_what_is_escaped_stays_as_it_is():
    for words in HOSTILE:
        assert escape(escape(words)) == escape(words)
    assert escape("log in as größe on 例え.テスト (ok)") == "log in as größe on 例え.テスト (ok)"


OF_A_DAEMON = """
from litterbox import files, paths
from litterbox.daemon.process import _configure_log
files.private_folder(paths.logs())
_configure_log("work", foreground=True)
"""
OF_AN_AGENT = """
from litterbox.host_agent.serve import _configure_log
_configure_log(20)
"""


@pytest.mark.parametrize("configure", [OF_A_DAEMON, OF_AN_AGENT])
def test_every_program_of_ours_that_logs_escapes(configure, own_root):
    script = f"{configure}\nimport logging; logging.getLogger('x').warning('a\\x1b[2K%s', '\\nb')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    log = own_root / "logs" / "daemon-work.log"
    for text in [done.stderr, *([log.read_text()] if log.exists() else [])]:
        assert text.endswith("a\\x1b[2K\\nb\n")
        assert text.count("\n") == 1
