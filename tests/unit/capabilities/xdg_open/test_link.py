"""What is a link, and which site it leads to: what two readers could read differently is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litterbox.capabilities.xdg_open.link import MAX_LENGTH, BadLink, Link, read
from litterbox.settings import schemes

DEFAULT = ("http", "https", "mailto")
NEVER = ["file", "javascript", "data", "view-source", "shell", "jar", "programs", "applications", "admin", "apt", "ssh"]


@pytest.mark.parametrize(
    ("uri", "site", "user"),
    [
        ("https://example.org", "example.org", ""),
        ("HTTPS://Example.ORG:8443/a?b=c&d=%20#e", "Example.ORG:8443", ""),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000", ""),
        ("http://[::1]:80/x", "[::1]:80", ""),
        ("https://bank.example@evil.example/login", "evil.example", "bank.example"),
        ("https://a@b:secret@evil.example", "evil.example", "a@b:secret"),
        ("https://example.org/a@b", "example.org", ""),
        ("https://example.org?u=x@y", "example.org", ""),
        ("https://xn--pple-43d.com/", "xn--pple-43d.com", ""),
        ("https://\u0430pple.com/\u00fc", "\u0430pple.com", ""),
        ("mailto:someone@example.org?subject=a;b&BODY=x", "", ""),
    ],
)
def test_the_site_is_what_a_browser_goes_to(uri, site, user):
    assert read(uri, DEFAULT) == Link(uri=uri, site=site, user=user)


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("", "not a link"),
        ("/etc/passwd", "not a link"),
        ("example.org", "not a link"),
        ("-v:x", "not a link"),
        ("--help", "not a link"),
        (" https://example.org", "not a link"),
        ("ht\ttps://example.org", "not a link"),
        ("\u0430:x", "not a link"),
        (":x", "not a link"),
        ("ftp://example.org", 'links with "ftp": may not be opened'),
        ("https://example.org/" + "a" * MAX_LENGTH, "longer than"),
        ("https://example.org/a b", "cannot hold"),
        ("https://example.org/\n", "cannot hold"),
        ("https://example.org/\0", "cannot hold"),
        ("https://example.org/\x7f", "cannot hold"),
        ("https://example.org/\u202e", "cannot hold"),
        ("https://example.org/\u00a0", "cannot hold"),
        ("https://example.org/\ud800", "cannot hold"),
        ("https://bank.example\\@evil.example/", 'cannot hold the character "\\\\"; it would be written as %5C'),
        ("https:evil.example", "names no site"),
        ("https:///evil.example", "names no site"),
        ("https://user@/", "names no site"),
        ("https://:80/", "names no site"),
        ("https://example.org:port/", "cannot be read"),
        ("https://example.org:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://good.example\uff0f.evil.example/", "cannot be read"),
        ("https://good.example\u2044.evil.example/", "has characters that names do not have"),
        ("https://%65vil.example/", "has characters that names do not have"),
        ("https://a,b/", "has characters that names do not have"),
        ("http://2130706433/", "is not in the usual form"),
        ("http://0x7f.1/", "is not in the usual form"),
        ("http://127.0.0.01./", "is not in the usual form"),
        ("http://[fe80::1%25eth0]/", "is not in the usual form"),
        ("https://" + "a." * 127 + "example/", "too long"),
        ("https://" + "\u4e2d" * 127 + ".example/", "too long"),
        ("mailto:a@example.org?attach=/home/me/.ssh/id_ed25519", '"attach"'),
        ("mailto:a@example.org?subject=x&Atta%63hment=%2Fetc%2Fpasswd", '"Attachment"'),
        ("mailto:a@example.org?subject=x;attach=/etc/passwd", '"attach"'),
        ("mailto:a@example.org?x?attach=/etc/passwd", '"attach"'),
        ("mailto:a@example.org&attach=/etc/passwd", '"attach"'),
        ("mailto:a@example.org#?attach=/etc/passwd", "the character #"),
        ("mailto:a@example.org?subject=x#&attach=/etc/passwd", "the character #"),
    ],
)
def test_what_is_no_plain_link_is_refused_with_the_reason(uri, reason):
    with pytest.raises(BadLink) as caught:
        read(uri, DEFAULT)
    assert reason in caught.value.sentence
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("scheme", NEVER)
def test_what_reads_files_or_runs_is_refused_whatever_the_settings_say(scheme):
    assert not schemes.may_be_opened(scheme)
    with pytest.raises(BadLink, match="may not be opened"):
        read(f"{scheme.upper()}://x", [scheme])


def test_a_scheme_of_the_settings_needs_no_site():
    assert read("Tel:+1-201-555-0123", ["tel"]) == Link(uri="Tel:+1-201-555-0123")
    assert read("zoommtg://u@zoom.us/join", ["zoommtg"]).site == "zoom.us"


@given(st.text(max_size=60), st.sampled_from(["https:", "https://", "https://[", "mailto:", "mailto:?", ""]))
def test_any_text_is_read_or_refused(text, start):
    refused = None
    try:
        link = read(start + text, DEFAULT)
    except BadLink as error:
        refused = error.sentence
    if refused is not None:
        assert refused.isprintable()
    else:
        assert link.uri.isprintable()
        assert " " not in link.uri
        assert link.site or link.uri.lower().startswith("mailto:")
