"""Media types: those of RFC 6838, and nothing that a program could take for an option, a path or two words."""

import pytest

from litterbox.capabilities.media_type import MAX_LENGTH, is_media_type


@pytest.mark.parametrize(
    "text",
    ["text/plain", "text/plain;charset=utf-8", "image/png", "image/svg+xml", "application/vnd.ms-excel", "TEXT/HTML",
     "x-special/gnome-copied-files", "text/x;a=b;c=d", "1/2", f"a/{'b' * 127}"],
)  # fmt: skip
def test_what_is_a_media_type(text):
    assert is_media_type(text)


@pytest.mark.parametrize(
    "text",
    ["", "text", "text/", "/plain", "-t/plain", "--help", "--foreground", "text/-plain", "text/plain;", "text/plain\n",
     "text/plain;charset", "text/plain;charset=", "text/plain; charset=utf-8", 'text/plain;charset="utf-8"', "a b/c",
     "text/plain\0", "text/pla\u0131n", "text/plain/more", "text/*", "../etc/passwd", "TARGETS", "\u0663/a",
     f"a/{'b' * 128}", f"a/b;c={'d' * MAX_LENGTH}", "a/b" + ";c=d" * 5, "text/plain;-c=d", "text/plain;c=-d"],
)  # fmt: skip
def test_what_is_none(text):
    assert not is_media_type(text)
