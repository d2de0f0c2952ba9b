"""A link that a box would like to have opened: what may be one, and what of it a person must see.

Pure. What the box's reading and a browser's could make two different sites of is refused, not mended.
"""

import unicodedata
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import attrs

from litterbox.confirm.escaping import columns, escape_untrusted, quoted
from litterbox.errors import LitterboxError
from litterbox.settings import schemes

MAX_LENGTH: Final = 8192  # characters
MAX_SITE_WIDTH: Final = 253  # columns; the longest name of DNS

_WEB: Final = frozenset({"http", "https"})
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_IN_A_LINK: Final = _LETTERS | frozenset("-._~:/?#[]@!$&'()*+,;=%")  # RFC 3986, section 2
_IN_A_SITE: Final = _LETTERS | frozenset("-._")
_LETTER_CATEGORIES: Final = frozenset("LMN")
_DOTS: Final = "\N{IDEOGRAPHIC FULL STOP}"  # a browser takes it for one

# What a link may put into a letter (RFC 6068). Some mail programs take "attach" too, the path of a file of the user's.
_OF_A_LETTER: Final = frozenset({"to", "cc", "bcc", "subject", "body", "keywords", "in-reply-to", "references"})


class BadLink(LitterboxError):
    """It is no link, or none that may be opened."""


@attrs.frozen(kw_only=True)
class Link:
    """`uri` as the box wrote it. `site` is its host, with the port where there is one, empty for a scheme without;
    `user` what it holds in front of that, up to the "@".
    """

    uri: str
    site: str = ""
    user: str = ""


def read(uri: str, allowed: Collection[str]) -> Link:
    """Read a link whose scheme must be one of `allowed`. Raises BadLink."""
    if len(uri) > MAX_LENGTH:
        raise BadLink(f"it is longer than {MAX_LENGTH:,} characters")
    scheme, colon, rest = uri.partition(":")
    scheme = scheme.lower()
    if not colon or not schemes.is_scheme(scheme):
        raise BadLink("it is no link: it does not begin with a scheme, like https:")
    if scheme not in allowed or not schemes.may_be_opened(scheme):
        raise BadLink(f"links with {quoted(scheme)}: may not be opened")
    for character in rest:
        if not _may_be_in_a_link(character):
            raise BadLink(f"a link cannot hold {_named(character)}")
    try:
        parts = urlsplit(uri)
        _port = parts.port
    except ValueError as error:
        raise BadLink("its site cannot be read") from error
    if scheme == "mailto":
        _check_letter(rest)
    user, _at, site = parts.netloc.rpartition("@")
    if scheme in _WEB or site:
        _check_site(parts, site, web=scheme in _WEB)
    return Link(uri=uri, site=site, user=user)


def _may_be_in_a_link(character: str) -> bool:
    return character in _IN_A_LINK if character.isascii() else unicodedata.category(character)[0] not in "CZ"


def _named(character: str) -> str:
    escaped = "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogatepass"))
    return f"the character {quoted(character)}; it would be written as {escaped}"


def _check_site(parts: SplitResult, site: str, *, web: bool) -> None:
    """A name, an IPv4 address as it is commonly written, or an IPv6 address."""
    if columns(escape_untrusted(site, longest=len(site) * len("\\U00000000"))) > MAX_SITE_WIDTH:
        raise BadLink("the name of its site is too long")
    host = parts.hostname or ""
    if web and not host:
        raise BadLink("it names no site")
    try:
        if ":" in host:
            IPv6Address(host.replace("%", "/"))  # with a zone it is an address to Python, and none to a browser
        elif web and _is_number(host.rstrip(".").rpartition(".")[2]):
            IPv4Address(host)  # a browser takes 0x7f.1 and 2130706433 for 127.0.0.1
    except ValueError as error:
        raise BadLink("the address of its site is not written as addresses are") from error
    if ":" not in host and not all(map(_may_be_in_a_site, host)):
        raise BadLink("the name of its site holds what no name does")


def _is_number(label: str) -> bool:
    return label.isdigit() or label.startswith("0x")


def _may_be_in_a_site(character: str) -> bool:
    if character.isascii():
        return character in _IN_A_SITE
    return unicodedata.category(character)[0] in _LETTER_CATEGORIES or character in _DOTS


def _check_letter(rest: str) -> None:
    """What stands behind the scheme; mail programs differ in what they take for the beginning of a field."""
    if "#" in rest:
        raise BadLink("a letter's link cannot hold the character #; it would be written as %23")
    for field in rest.replace(";", "&").replace("?", "&").split("&"):
        name, equals, _value = field.partition("=")
        if equals and unquote(name).lower() not in _OF_A_LETTER:
            raise BadLink(f"a link may not set {quoted(unquote(name))} of a letter")
