"""The words of a Dockerfile's line: how they are split, and what variables in them become."""

import re
from collections.abc import Mapping

from litterbox.errors import DockerfileError

_BLANKS = re.compile(r"[\t\v\f\r ]+")
_QUOTED_FIELD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+""")
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<how>:?[-+])(?P<word>[^{}]*))?\})"
)


def partition(line: str) -> tuple[str, str, str]:
    """The first word, the blanks behind it and the rest."""
    blanks = _BLANKS.search(line)
    return (line[: blanks.start()], blanks.group(), line[blanks.end() :]) if blanks else (line, "", "")


def fields(text: str) -> list[str]:
    """The words between blanks. Quotes mean nothing."""
    return [word for word in _BLANKS.split(text) if word]


def quoted_fields(text: str) -> list[str]:
    """The words between blanks that are in no quotes; the quotes stay in the words."""
    return _QUOTED_FIELD.findall(text)


def leading_options(rest: str) -> tuple[list[str], str]:
    """Split `--from=x --chown=y SOURCE TARGET` into its options, without quotes, and what follows them."""
    options = []
    while rest.startswith("--"):
        word = _QUOTED_FIELD.match(rest)
        if word is None:
            break
        rest = rest[word.end() :].lstrip("\t\v\f\r ")
        if word.group() == "--":
            break
        options.append(unquoted(word.group()))
    return options, rest


def unquoted(word: str) -> str:
    """The word without its quotes and escapes."""
    return re.sub(
        r"""\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'""", lambda found: next(g for g in found.groups() if g is not None), word
    )


def expand(word: str, known: Mapping[str, str]) -> str:
    """The word as Podman reads it: quotes gone, `$X`, `${X}`, `${X:-word}` and `${X:+word}` replaced.

    An unknown variable is empty. Raises DockerfileError for any other form.
    """
    result = ""
    quote = ""
    position = 0
    while position < len(word):
        character = word[position]
        if character == "\\" and quote != "'" and position + 1 < len(word):
            result += word[position + 1]
            position += 2
        elif character in "\"'" and quote in ("", character):
            quote = "" if quote else character
            position += 1
        elif character == "$" and quote != "'":
            variable = _VARIABLE.match(word, position)
            if variable is None:
                raise DockerfileError(
                    f"The Dockerfile has {word!a}, whose variables Litterbox cannot resolve.",
                    "Use $NAME, ${NAME}, ${NAME:-default} or ${NAME:+value}, or write the value itself.",
                )
            result += _value(variable, known)
            position = variable.end()
        else:
            result += character
            position += 1
    return result


def _value(variable: re.Match[str], known: Mapping[str, str]) -> str:
    how = variable["how"] or ""
    value = known.get(variable["plain"] or variable["name"])
    is_there = bool(value) if how.startswith(":") else value is not None
    if how.endswith("-") and not is_there:
        return expand(variable["word"], known)
    if how.endswith("+"):
        return expand(variable["word"], known) if is_there else ""
    return value or ""
