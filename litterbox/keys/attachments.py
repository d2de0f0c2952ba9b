"""What an attachment may say: for which hosts, and how often to ask. Pure; whether a host fits is for the agent."""

import re
from collections.abc import Iterable
from typing import Final

import attrs

from litterbox.errors import UsageError
from litterbox.keys.records import Ask, Attachment

_MAX_PATTERN_LENGTH: Final = 255  # as a name in DNS
_HOST = re.compile(r"[A-Za-z0-9._:%*?-]+")
_HOST_AND_PORT = re.compile(r"\[([A-Za-z0-9._:%*?-]+)\]:([0-9*?]{1,5})")
_BARE_PORT = re.compile(r"([^:\[\]]+):[0-9]+")
_WAY_OUT = (
    "A pattern is a host's name or address as in known_hosts: * and ? are wildcards, a port other than 22 is written "
    "[HOST]:PORT, and ! before a pattern leaves out what fits it."
)


def host_patterns(given: Iterable[str]) -> tuple[str, ...]:
    """The patterns in lower case, each once, as OpenSSH matches them (ssh_config(5), PATTERNS). Raises UsageError."""
    patterns = tuple(dict.fromkeys(map(_host_pattern, given)))
    if patterns and all(pattern.startswith("!") for pattern in patterns):
        raise UsageError(
            "Patterns that only leave hosts out let no host in.",
            f"Say which hosts the key is for, too: --host '*.example.org' --host '{patterns[0]}'",
        )
    return patterns


def is_restricted(attachment: Attachment) -> bool:
    """Say whether an attachment is for certain hosts, or asks before it is used for others."""
    return attachment.ask != "never" or bool(attachment.hosts)


def check_says_where(hosts: tuple[str, ...], ask: Ask | None) -> None:
    """Raise UsageError for a key that would never ask, whatever it is used for."""
    if ask == "never" and not hosts:
        raise UsageError(
            "A key that never asks must say for which hosts, or the box could use it anywhere unseen.",
            "Add them: --ask never --host github.com",
        )


def changed(before: Attachment, *, hosts: tuple[str, ...], ask: Ask | None) -> Attachment:
    """The attachment with other hosts, and with another way of asking, where they are given."""
    return attrs.evolve(before, hosts=hosts or before.hosts, ask=ask or before.ask)


def described(attachment: Attachment) -> str:
    """How a sentence about the attachment ends: ", for github.com only, and never asks"."""
    where = f", for {', '.join(attachment.hosts)} only" if attachment.hosts else ""
    return f"{where}, and {_ASKING[attachment.ask]}"


_ASKING: Final[dict[Ask, str]] = {
    "always": "asks each time",
    "once": "asks once for each host until the daemon ends",
    "never": "never asks",
}


def _host_pattern(given: str) -> str:
    pattern = given.removeprefix("!")
    with_port = _HOST_AND_PORT.fullmatch(pattern)
    if len(given) > _MAX_PATTERN_LENGTH or not (with_port or _HOST.fullmatch(pattern)):
        raise _not_a_pattern(given, "Name the host alone, without a user." if "@" in given else _WAY_OUT)
    if with_port and with_port[2] == "22":
        raise _not_a_pattern(given, f"known_hosts writes port 22 without brackets: {with_port[1]}")
    bare_port = _BARE_PORT.fullmatch(pattern)
    if bare_port:
        raise _not_a_pattern(given, f"known_hosts writes a host with a port as [{bare_port[1]}]:PORT.")
    return given.lower()


def _not_a_pattern(given: str, hint: str) -> UsageError:
    shown = ascii(given if len(given) <= 80 else given[:77] + "...")
    return UsageError(f"{shown} is not a host pattern.", hint)
