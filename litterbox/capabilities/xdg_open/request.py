"""Answers the `xdg_open` requests of a box: checks the link, asks the user, logs, and opens it on the desktop."""

import unicodedata
from typing import Final

import attrs

from litterbox.capabilities.client import Client
from litterbox.capabilities.policy import Detail, Policy
from litterbox.capabilities.replies import Ack
from litterbox.capabilities.xdg_open.link import BadLink, Link, read
from litterbox.capabilities.xdg_open.opener import Opener
from litterbox.capabilities.xdg_open.program import OpeningError
from litterbox.confirm.escaping import escape_untrusted, quoted
from litterbox.confirm.fields import split_into_fields
from litterbox.confirm.question import MAX_LINES, TOO_SOON, Kind, Question, text
from litterbox.confirm.said import Said, Words, logged
from litterbox_guest.messages import XdgOpen

CAPABILITY = "xdg_open"

_FIELD_LINES: Final = 4  # lines of the window that a field of MAX_VALUE_WIDTH columns takes
_MAX_ASIDE_WIDTH: Final = 48  # columns of a field other than the site and the link


@attrs.frozen(kw_only=True)
class Links:
    """The links of one box."""

    policy: Policy
    opener: Opener

    async def answer(self, request: XdgOpen, client: Client) -> None:
        detail: Detail = {"purpose": logged((Said(request.uri),)), "peer": client.peer}
        try:
            await self._answer(request.uri, detail, client)
        except BadLink as error:
            self.policy.refuse(CAPABILITY, detail, error.sentence)
            await client.refuse(f"the link was refused: {error.sentence}")
        except OpeningError as error:
            self.policy.tell_failure(CAPABILITY, detail, error.sentence)
            await client.refuse(error.sentence, status=error.status)

    async def _answer(self, uri: str, detail: Detail, client: Client) -> None:
        """Ask the user, and open the link. Raises BadLink and OpeningError."""
        link = self._read(uri)
        refusal = await self.policy.permit(CAPABILITY, lambda: question(self.policy.box, link), detail)
        if refusal:
            await client.refuse(f"the link was declined: {refusal}")
            return
        await self.opener.open(self._read(uri).uri)  # the schemes may have changed meanwhile
        await client.send(Ack())

    def _read(self, uri: str) -> Link:
        return read(uri, self.policy.settings().xdg_open_schemes)


def question(box: str, link: Link) -> Question:
    """Make the question. It shows the whole site, and as much of the link as the window has room for."""
    about: list[tuple[str, Words]] = [*_pieces("Site", link.site, most=2)] if link.site else []
    if not link.site.isascii():
        about.append(("The site in ASCII", (_quoted_in_ascii(link.site),)))
    if link.user:
        about.append(("User name, not the site", (quoted(link.user, longest=_MAX_ASIDE_WIDTH),)))
    request = link.uri.encode(errors="surrogatepass")
    asked = Question(box=box, action=_action(link), fields=tuple(about), request=request, kind=Kind.LINK)
    room = MAX_LINES - len(text(asked, TOO_SOON).split("\n"))
    return attrs.evolve(asked, fields=(*about, *_pieces("Link", link.uri, most=room // _FIELD_LINES)))


def _action(link: Link) -> Words:
    if not link.site:
        return "open a link"
    return ("open a link to ", Said(link.site) if link.site.isascii() else _quoted_in_ascii(link.site))


def _quoted_in_ascii(site: str) -> str:
    """Return the site in quotes: in punycode where that is certain, and else with its letters escaped.

    `quoted` would escape the backslashes of the escapes once more. A site holds neither quotes nor backslashes.
    """
    letters = _punycode(site) or site.encode("unicode_escape").decode("ascii")
    return f'"{escape_untrusted(letters, longest=_MAX_ASIDE_WIDTH)}"'


def _punycode(site: str) -> str:
    """Return the site as DNS has it; "" where a browser may look up another name.

    Python's codec implements IDNA 2003 (RFC 3490) with Unicode 3.2, which replaces some letters that browsers keep: it
    makes "fass.de" of "faß.de". So a name is taken only where the codec knows its letters and replaces none.
    """
    name = site.lower()
    if any(unicodedata.ucd_3_2_0.category(letter) == "Cn" for letter in name):
        return ""
    try:
        encoded = name.encode("idna")
        return encoded.decode("ascii") if encoded.decode("idna") == name else ""
    except UnicodeError:
        return ""


def _pieces(label: str, value: str, *, most: int) -> tuple[tuple[str, Words], ...]:
    """Split `value` into fields. Where these are more than `most`, it is one field, which loses its middle."""
    return split_into_fields(label, value, most=most) or ((label, (Said(value),)),)
