"""The patterns that limit the arguments of a host command. Pure.

`*`, `?` and `[ab]` stand for characters of one name in a path, never for a slash. `**`, which may stand once in a
pattern, stands for slashes too. A name that one of them is part of is never `.` or `..`, so that no path leaves the
folder that the pattern names. Everything else is literal: a `..` in the pattern itself, percent signs, backslashes.

Matching takes time linear in the length of the argument, which the box chooses: names are matched one by one, and
atomic groups keep the regular expression of a name from trying a position twice.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

_TOKEN: Final = re.compile(r"\*+|\?|\[!?\]?[^]]*\]|.", re.DOTALL)
_RANGE: Final = re.compile(r"(.)-(.)|(.)", re.DOTALL)
_DOTS: Final = (".", "..")
_ANY: Final = "*"

Tokens = list[str]  # of one name: wildcards, and literal characters


def matches(pattern: str, argument: str) -> bool:
    """Return whether the pattern matches the whole argument.

    A wildcard at its beginning does not match the dash of an option.
    """
    parts = _parts(pattern)
    if argument.startswith("-") and parts[0] and _is_wildcard(parts[0][0]):
        return False
    names = argument.split("/")
    for index, part in enumerate(parts):
        for place, token in enumerate(part):
            if _crosses_slashes(token):
                return _match_across(parts[:index], part[:place], part[place + 1 :], parts[index + 1 :], names)
    return len(parts) == len(names) and _match_each(parts, names)


def has_wildcard(pattern: str) -> bool:
    return any(_is_wildcard(token) for part in _parts(pattern) for token in part)


def is_valid(pattern: str) -> bool:
    """Return whether `**` stands at most once in the pattern."""
    return sum(_crosses_slashes(token) for part in _parts(pattern) for token in part) <= 1


def _parts(pattern: str) -> list[Tokens]:
    return [_TOKEN.findall(part) for part in pattern.split("/")]


def _is_wildcard(token: str) -> bool:
    return token[0] in "*?" or len(token) > 1


def _crosses_slashes(token: str) -> bool:
    return token.startswith("**")


def _match_across(
    before: Sequence[Tokens], first: Tokens, last: Tokens, behind: Sequence[Tokens], names: Sequence[str]
) -> bool:
    """Match a pattern with `**`: its parts `before` and `behind`, and what stands beside `**` in its own part."""
    end = len(names) - len(behind)
    across = names[len(before) : end]
    if not across or not _match_each(before, names[: len(before)]) or not _match_each(behind, names[end:]):
        return False
    if len(across) == 1:
        return _match_name([*first, _ANY, *last], across[0])
    return (
        _match_name([*first, _ANY], across[0])
        and _match_name([_ANY, *last], across[-1])
        and not any(name in _DOTS for name in across)
    )


def _match_each(parts: Sequence[Tokens], names: Sequence[str]) -> bool:
    """Match names that stand between slashes. In a path of several, one that is empty would be another path."""
    is_path = len(names) > 1
    return all(
        _match_name(part, name) and not (is_path and _begins_empty(part, name))
        for part, name in zip(parts, names, strict=True)
    )


def _match_name(tokens: Tokens, name: str) -> bool:
    start = _literal_length(tokens)
    if start == len(tokens):
        return name == "".join(tokens)
    if not re.fullmatch(_expression(tokens), name, re.DOTALL):
        return False
    # The path may begin behind a literal beginning, as in --file=*, or in the middle of it.
    return not any(name[index:] in _DOTS for index in range(max(0, start - 2), start + 1))


def _begins_empty(tokens: Tokens, name: str) -> bool:
    """Return whether the wildcards match nothing, where a name begins: */x would match /x, and --file=*/x --file=/x."""
    start = _literal_length(tokens)
    if start == len(tokens) or start != len(name):
        return False
    is_short_option = len(name) == 2 and name[0] == "-"
    return not name or is_short_option or not name[-1].isalnum()


def _literal_length(tokens: Tokens) -> int:
    return len(list(takewhile(lambda token: not _is_wildcard(token), tokens)))


def _expression(tokens: Tokens) -> str:
    """The regular expression of a name. Between stars, the first place where the next token fits is as good as any."""
    pieces = [""]
    for token in tokens:
        if token.startswith("*"):
            pieces.append("")
        else:
            pieces[-1] += _one_character(token)
    first, *rest = pieces
    if not rest:
        return first
    return "".join([first, *(f"(?>.*?{piece})" for piece in rest[:-1]), ".*", rest[-1]])


def _one_character(token: str) -> str:
    if len(token) == 1:
        return "." if _is_wildcard(token) else re.escape(token)
    is_negated = token[1] == "!"
    ranges = []
    for low, high, single in _RANGE.findall(token[2 if is_negated else 1 : -1]):
        if single:
            ranges.append(re.escape(single))
        elif low <= high:
            ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    if not ranges:
        return "." if is_negated else "(?!)"
    return f"[{'^' * is_negated}{''.join(ranges)}]"
