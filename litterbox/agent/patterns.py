"""Patterns with the wildcards * and ?, as OpenSSH matches them, in time and memory that a box cannot make grow.

Both sides of a match may come from a box. A regular expression is no answer: its compilation costs more than the match,
and `re` and `fnmatch` keep what they compiled.
"""

from collections.abc import Iterable
from typing import Final

MAX_NAME: Final = 261  # characters; a host's name (RFC 1035: 253) in brackets, with a port

_WILDCARDS: Final = frozenset("*?")


def is_pattern(host: str) -> bool:
    """Say whether an entry of a pattern list is more than a name: it has a wildcard, or is negated."""
    return host.startswith("!") or not _WILDCARDS.isdisjoint(host)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """As OpenSSH's match_hostname: some pattern fits, and no negated one does; letter case does not count.

    A name longer than MAX_NAME characters fits nothing.
    """
    name = name.lower()
    if len(name) > MAX_NAME:
        return False
    found = False
    for pattern in patterns:
        if fits(name, pattern.lower().removeprefix("!")):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def fits(name: str, pattern: str) -> bool:
    """As OpenSSH's match_pattern: * stands for any characters or none, ? for any one; all else for itself.

    False for a name longer than MAX_NAME characters. All ways to match are followed at once, a bit of an integer for
    each place in the pattern, so the time grows with the lengths and with nothing else.
    """
    if len(name) > MAX_NAME:
        return False
    if _WILDCARDS.isdisjoint(pattern):
        return name == pattern
    if len(pattern) - pattern.count("*") > len(name):
        return False
    places: dict[str, int] = {}  # by character, where the pattern has it
    anything = 0  # where it has a ?
    loops = 0  # where it has a *, in front of the character of that place
    end = 1
    for character in pattern:
        if character == "*":
            loops |= end
            continue
        if character == "?":
            anything |= end
        else:
            places[character] = places.get(character, 0) | end
        end <<= 1
    reached = 1
    for character in name:
        reached = (reached & (places.get(character, 0) | anything)) << 1 | reached & loops
        if not reached:
            return False
    return bool(reached & end)
