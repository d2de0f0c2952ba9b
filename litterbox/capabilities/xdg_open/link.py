"""Checks a link that a box wants to open, and finds the parts that the user must see. Pure functions.

A link that we and a browser could read as two different sites is refused, not corrected.
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
_NAME_CATEGORIES: Final = frozenset("LMN")
_DOTS: Final = "\N{IDEOGRAPHIC FULL STOP}"  # browsers read it as a dot

# The fields that a mailto link may set (RFC 6068). Some mail programs also accept "attach", the path of a file.
_MAIL_FIELDS: Final = frozenset({"to", "cc", "bcc", "subject", "body", "keywords", "in-reply-to", "references"})


class BadLink(LitterboxError):
    """The text is not a link, or the link may not be opened."""


@attrs.frozen(kw_only=True)
class Link:
    """A link that may be opened. `uri` is as the box wrote it.

    `site` is its host, with the port if there is one. It is empty for a scheme without hosts. `user` is the text
    between the scheme and the site, up to the "@".
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
        raise BadLink("it is not a link: it does not begin with a scheme such as https:")
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
        _check_mail(rest)
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
    """Raise BadLink unless it is a name, an IPv4 address in the usual form, or an IPv6 address."""
    if columns(escape_untrusted(site, longest=len(site) * len("\\U00000000"))) > MAX_SITE_WIDTH:
        raise BadLink("the name of its site is too long")
    host = parts.hostname or ""
    if web and not host:
        raise BadLink("it names no site")
    try:
        if ":" in host:
            IPv6Address(host.replace("%", "/"))  # Python accepts an address with a zone, browsers do not
        elif web and _is_number(host.rstrip(".").rpartition(".")[2]):
            IPv4Address(host)  # browsers read 0x7f.1 and 2130706433 as 127.0.0.1
    except ValueError as error:
        raise BadLink("the address of its site is not in the usual form") from error
    if ":" not in host and not all(map(_may_be_in_a_site, host)):
        raise BadLink("the name of its site has characters that names do not have")


def _is_number(label: str) -> bool:
    return label.isdigit() or label.startswith("0x")


def _may_be_in_a_site(character: str) -> bool:
    if character.isascii():
        return character in _IN_A_SITE
    return unicodedata.category(character)[0] in _NAME_CATEGORIES or character in _DOTS


def _check_mail(rest: str) -> None:
    """Raise BadLink where a mailto link sets other fields. Mail programs differ in where they see a field begin."""
    if "#" in rest:
        raise BadLink("a mailto link cannot hold the character #; it would be written as %23")
    for field in rest.replace(";", "&").replace("?", "&").split("&"):
        name, equals, _value = field.partition("=")
        if equals and unquote(name).lower() not in _MAIL_FIELDS:
            raise BadLink(f"a link may not set {quoted(unquote(name))} of a message")
