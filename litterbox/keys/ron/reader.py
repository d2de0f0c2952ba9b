"""RON text to values, in one pass, with the place of whatever is wrong."""

import re
from collections.abc import Callable

from litterbox.keys.ron.values import Named, Path, RonError, Scalar, Struct, Value

MAX_DEPTH = 64  # far above any store of ours, far below Python's own recursion limit
_MAX_NUMBER_LENGTH = 160  # 128 binary digits, their prefix and suffix, and a few underscores


def loads(text: str) -> Value:
    """Read one RON document. Raises RonError, and nothing else, whatever the text."""
    return _Reader(text).document()


def locate(text: str, path: Path) -> tuple[int, int]:
    """Line and column where the value at `path` begins, or its nearest parent that is there.

    A step is a struct's field name or a list's or tuple's index. `text` must be RON.
    """
    reader = _Reader(text)
    reader.wanted = tuple(path)
    reader.document()
    return _line_and_column(text, reader.found)


# Possessive throughout: no text makes these patterns try twice.
_SPACE = re.compile(r"(?:[ \t\n\r\v\f\x85\u200e\u200f\u2028\u2029]++|//[^\n]*+)*+")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_RAW_STRING = re.compile(r'r(#*)"')
_RAW_NAME = re.compile(r"r#([A-Za-z0-9_.+-]+)")
_NAME = re.compile(r"[^\W\d]\w*")
_ATTRIBUTE = re.compile(r"#\s*+!\s*+\[\s*+enable\s*+\(\s*+\w++\s*+(?:,\s*+\w++\s*+)*+(?:,\s*+)?\)\s*+\]")
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:"
    r"(?P<based>0x[0-9a-fA-F][0-9a-fA-F_]*+|0o[0-7][0-7_]*+|0b[01][01_]*+)"
    r"|(?P<decimal>(?:[0-9][0-9_]*+(?:\.[0-9_]*+)?+|\.[0-9][0-9_]*+)(?:[eE][+-]?_*+[0-9][0-9_]*+)?+)"
    r"|(?P<word>inf|NaN)"
    r")(?P<kind>[iu](?:8|16|32|64|128|size)|f(?:32|64))?(?!\w)"
)
_PLAIN = re.compile(r'[^"\\]*+')
_ESCAPE = re.compile(r"\\(?:([nrt0\\\"'])|x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\})")
_SHORT_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}
_WORDS: dict[str, Value] = {"true": True, "false": False, "None": None}


class _Reader:
    """One pass over the text; `at` is the offset of what comes next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.path: list[str | int] = []
        self.wanted: tuple[str | int, ...] = ()
        self.found = 0

    def document(self) -> Value:
        self.space()
        while self.peek() == "#":
            self.at = self.expect(_ATTRIBUTE, "an attribute like #![enable(name)]").end()
            self.space()
        value = self.value()
        self.space()
        if self.at < len(self.text):
            raise self.error("more text after the end of the document")
        return value

    def value(self) -> Value:
        if len(self.path) > MAX_DEPTH:
            raise self.error(f"values nested more than {MAX_DEPTH} deep")
        if len(self.path) <= len(self.wanted) and tuple(self.path) == self.wanted[: len(self.path)]:
            self.found = self.at
        first = self.peek()
        if first == "":
            raise self.error("the text ends where a value should be")
        return self.kind(first)()

    def kind(self, first: str) -> Callable[[], Value]:
        """The method that reads a value which begins with this character."""
        if first == "r" and _RAW_STRING.match(self.text, self.at):
            return self.raw_string
        if first in "+-.0123456789":
            return self.number
        kinds: dict[str, Callable[[], Value]] = {
            '"': self.string,
            "'": self.character,
            "[": lambda: self.sequence("[", "]"),
            "{": self.map,
            "(": self.parentheses,
        }
        return kinds.get(first, self.named)

    def named(self) -> Value:
        if _NUMBER.match(self.text, self.at):  # inf and NaN
            return self.number()
        name = self.name("a value")
        if name in _WORDS:
            return _WORDS[name]
        after_name = self.at
        self.space()
        if self.peek() == "(":
            return Named(name, self.parentheses())
        self.at = after_name
        return Named(name)

    def parentheses(self) -> Struct | tuple[Value, ...]:
        opening = self.at
        self.at += 1
        self.space()
        is_struct = False
        if _NAME.match(self.text, self.at) or _RAW_NAME.match(self.text, self.at):
            self.name("a field")
            self.space()
            is_struct = self.peek() == ":"
        self.at = opening
        return self.struct() if is_struct else tuple(self.sequence("(", ")"))

    def struct(self) -> Struct:
        fields = Struct()

        def field() -> None:
            start = self.at
            name = self.name("a field name")
            if name in fields:
                raise self.error(f"the field {name} comes twice", start)
            self.colon()
            fields[name] = self.child(name)

        self.entries("(", ")", field)
        return fields

    def map(self) -> dict[Scalar, Value]:
        entries: dict[Scalar, Value] = {}

        def entry() -> None:
            start = self.at
            key = self.child("")
            if not isinstance(key, bool | int | float | str):
                raise self.error("a map's key must be a string, a number, a character or a truth value", start)
            if key in entries:
                raise self.error("a key of the map comes twice", start)
            self.colon()
            entries[key] = self.child(len(entries))

        self.entries("{", "}", entry)
        return entries

    def sequence(self, opening: str, closing: str) -> list[Value]:
        items: list[Value] = []
        self.entries(opening, closing, lambda: items.append(self.child(len(items))))
        return items

    def entries(self, opening: str, closing: str, entry: Callable[[], None]) -> None:
        """Read `entry, entry, …` between the brackets, with or without a last comma."""
        start = self.at
        self.at += 1
        self.space()
        while self.peek() != closing:
            entry()
            self.space()
            if self.peek() == ",":
                self.at += 1
                self.space()
            elif self.peek() == "":
                break
            elif self.peek() != closing:
                raise self.error(f"expected ',' or '{closing}'")
        if self.peek() == "":
            line, column = _line_and_column(self.text, start)
            raise self.error(f"the text ends inside the '{opening}' of line {line}, column {column}")
        self.at += 1

    def child(self, step: str | int) -> Value:
        self.path.append(step)
        value = self.value()
        self.path.pop()
        return value

    def number(self) -> int | float:
        found = self.expect(_NUMBER, "a number")
        if found.end() - found.start() > _MAX_NUMBER_LENGTH:
            raise self.error("the number is too long")
        digits = (found["based"] or found["decimal"] or found["word"]).replace("_", "")
        is_float = not found["based"] and (any(mark in digits for mark in ".eEN") or digits == "inf")
        is_float |= (found["kind"] or "").startswith("f")
        if is_float and found["based"]:
            raise self.error("a number with a base cannot be a float")
        try:
            number = (
                float(found["sign"] + digits) if is_float else int(found["sign"] + digits, 0 if found["based"] else 10)
            )
        except ValueError:
            raise self.error("expected a number") from None
        self.at = found.end()
        return number

    def string(self) -> str:
        start = self.at
        self.at += 1
        parts: list[str] = []
        while True:
            plain = self.expect(_PLAIN, "a string")
            parts.append(plain[0])
            self.at = plain.end()
            if self.peek() == '"':
                self.at += 1
                return "".join(parts)
            if self.peek() == "":
                raise self.error("the string never ends", start)
            parts.append(self.escape())

    def raw_string(self) -> str:
        opening = self.expect(_RAW_STRING, "a raw string")
        end = self.text.find('"' + opening[1], opening.end())
        if end < 0:
            raise self.error("the raw string never ends")
        self.at = end + 1 + len(opening[1])
        return self.text[opening.end() : end]

    def character(self) -> str:
        start = self.at
        self.at += 1
        if self.peek() in ("", "'"):
            raise self.error("a character is missing", start)
        if self.peek() == "\\":
            character = self.escape()
        else:
            character = self.peek()
            self.at += 1
        if self.peek() != "'":
            raise self.error("a character literal holds one character", start)
        self.at += 1
        return character

    def escape(self) -> str:
        found = self.expect(_ESCAPE, "an escape that RON knows")
        short, pair, code = found.groups()
        if short:
            character = _SHORT_ESCAPES[short]
        else:
            point = int(pair or code, 16)
            if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
                raise self.error("the escape is no character of Unicode")
            character = chr(point)
        self.at = found.end()
        return character

    def name(self, what: str) -> str:
        raw = _RAW_NAME.match(self.text, self.at)
        found = raw or self.expect(_NAME, what)
        self.at = found.end()
        return found[1] if raw else found[0]

    def colon(self) -> None:
        self.space()
        if self.peek() != ":":
            raise self.error("expected ':'")
        self.at += 1
        self.space()

    def space(self) -> None:
        """Step over white space and comments; block comments nest."""
        while True:
            self.at = self.expect(_SPACE, "").end()
            if not self.text.startswith("/*", self.at):
                return
            start, depth = self.at, 0
            for edge in _COMMENT_EDGE.finditer(self.text, self.at):
                depth += 1 if edge[0] == "/*" else -1
                if depth == 0:
                    self.at = edge.end()
                    break
            else:
                raise self.error("the comment never ends", start)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def expect(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self.text, self.at)
        if not found:
            raise self.error(f"expected {what}")
        return found

    def error(self, reason: str, at: int | None = None) -> RonError:
        return RonError(reason, *_line_and_column(self.text, self.at if at is None else at))


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
