"""What an attachment may say of hosts and of asking."""

import pytest

from litterbox.errors import UsageError
from litterbox.keys import attachments
from litterbox.keys.records import Ask, Attachment


@pytest.mark.parametrize(
    "pattern",
    [
        "github.com",
        "*.example.org",
        "host-?",
        "*",
        "10.0.0.*",
        "fe80::1%eth0",
        "2001:db8::*",
        "[git.example.org]:2222",
        "[2001:db8::1]:2222",
        "[*.example.org]:*",
        "under_score",
    ],
)
def test_these_are_host_patterns(pattern: str) -> None:
    assert attachments.host_patterns([pattern]) == (pattern,)
    assert attachments.host_patterns(["*", f"!{pattern}"]) == ("*", f"!{pattern}")


def test_patterns_are_in_lower_case_and_come_once() -> None:
    given = ["GitHub.com", "github.com", "!Bad.GitHub.com", "*.github.com"]

    assert attachments.host_patterns(given) == ("github.com", "!bad.github.com", "*.github.com")
    assert attachments.host_patterns([]) == ()


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "!",
        "!!github.com",
        "a b",
        "a,b",
        "a\n",
        "a\x00",
        "a\x1b[31m",
        "\u202egithub.com",
        "bücher.example",
        "\N{KELVIN SIGN}.example",
        "|1|salt|hash",
        "@cert-authority",
        "[github.com]",
        "[github.com]:",
        "[github.com]:x",
        "[github.com]:222222",
        "[[a]]:1",
        "a/b",
        "x" * 256,
    ],
    ids=ascii,
)
def test_these_are_not_host_patterns(pattern: str) -> None:
    with pytest.raises(UsageError, match="is not a host pattern") as refusal:
        attachments.host_patterns(["github.com", pattern])

    assert refusal.value.sentence.isprintable()
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("git@github.com", "Name the host alone, without a user."),
        ("github.com:2222", "known_hosts writes a host with a port as [github.com]:PORT."),
        ("[github.com]:22", "known_hosts writes port 22 without brackets: github.com"),
    ],
)
def test_a_likely_mistake_has_its_own_hint(pattern: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        attachments.host_patterns([pattern])

    assert refusal.value.hint == hint


def test_patterns_that_only_leave_out_are_refused() -> None:
    with pytest.raises(UsageError, match="let no host in"):
        attachments.host_patterns(["!github.com", "!gitlab.com"])


def test_a_key_that_never_asks_says_for_which_hosts() -> None:
    with pytest.raises(UsageError, match="must say for which hosts"):
        attachments.check_says_where((), "never")

    attachments.check_says_where(("github.com",), "never")
    for ask in ("always", "once", None):
        attachments.check_says_where((), ask)
    assert not attachments.is_restricted(Attachment("box", (), "never"))


@pytest.mark.parametrize(
    ("hosts", "ask", "after"),
    [
        ((), None, Attachment("box", ("a",), "once")),
        (("b",), None, Attachment("box", ("b",), "once")),
        ((), "always", Attachment("box", ("a",), "always")),
        (("b", "c"), "never", Attachment("box", ("b", "c"), "never")),
    ],
)
def test_what_is_not_given_stays(hosts: tuple[str, ...], ask: Ask | None, after: Attachment) -> None:
    assert attachments.changed(Attachment("box", ("a",), "once"), hosts=hosts, ask=ask) == after


@pytest.mark.parametrize(
    ("attachment", "sentence"),
    [
        (Attachment("work"), "laptop is attached to work, and asks each time."),
        (
            Attachment("work", ("github.com",), "never"),
            "laptop is attached to work, for github.com only, and never asks.",
        ),
        (
            Attachment("work", ("*.example.org", "!bad.example.org"), "once"),
            (
                "laptop is attached to work, for *.example.org, !bad.example.org only, and asks once for each host "
                "until the daemon ends."
            ),
        ),
    ],
)
def test_a_sentence_tells_what_an_attachment_is(attachment: Attachment, sentence: str) -> None:
    assert f"laptop is attached to {attachment.box}{attachments.described(attachment)}." == sentence
