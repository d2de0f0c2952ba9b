"""The lines of a log: none of what a box said in them may pass for a line, or reach a terminal as an order.

Every handler of a daemon has the formatter of this module, and `litterbox logs` escapes once more what it prints.
"""

import logging

MAX_LINE = 2000  # characters of one line; a longer one loses its middle
MAX_LINES = 120  # of one record with its traceback; a longer one loses its middle

_MARK = "  | "  # before each line of a traceback, which quotes the box too: no line of a record begins like a record


def escape(text: str, *, longest: int = MAX_LINE) -> str:
    r"""`text` on one line, with each character that does not print as itself as its escape (`\x1b`, `\u202e`, `\n`).

    Those are control characters, line separators, bidi and other format characters, lone surrogates and unassigned
    ones. It loses its middle where it is longer than `longest` characters. What is escaped already stays as it is.
    """
    if len(text) > 2 * longest:  # an escape is longer than its character, so that these are more than enough
        text = _without_middle(text, 2 * longest)
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
            for character in text
        )
    return _without_middle(text, longest)


class EscapingFormatter(logging.Formatter):
    """Formats a record as one escaped line; its traceback follows in lines of their own, each escaped and marked."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        if self.usesTime():
            record.asctime = self.formatTime(record, self.datefmt)
        lines = [escape(self.formatMessage(record))]
        if record.exc_info:
            lines += self._marked(self.formatException(record.exc_info))
        if record.stack_info:
            lines += self._marked(self.formatStack(record.stack_info))
        return "\n".join(lines)

    def _marked(self, text: str) -> list[str]:
        lines = text.split("\n")
        if len(lines) > MAX_LINES:
            cut = len(lines) - MAX_LINES
            lines = [*lines[: MAX_LINES // 2], f"[… {cut} lines …]", *lines[-MAX_LINES // 2 :]]
        return [f"{_MARK}{escape(line)}" for line in lines]


def _without_middle(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[: longest // 2]} [… {len(text) - longest} characters …] {text[-longest // 2 :]}"
