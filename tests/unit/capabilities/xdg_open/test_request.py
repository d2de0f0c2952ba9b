"""Links of the box: what is asked, what is refused unasked, what is written down, what the box is told."""

import json
import os

import attrs
import pytest

from litterbox import paths
from litterbox.audit import AuditLog
from litterbox.capabilities.client import Client
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.replies import Ack, Error
from litterbox.capabilities.xdg_open.link import read
from litterbox.capabilities.xdg_open.program import NothingOpens, OpeningError
from litterbox.capabilities.xdg_open.request import Links, question
from litterbox.confirm.question import LINE, MAX_LINES, TOO_SOON, Answer, text
from litterbox.confirm.said import Said, rendered
from litterbox_guest.messages import XdgOpen

LINK = "https://example.org/a?b=c"


@attrs.define
class Desk:
    """A user who gives `reply`, a desktop that fails with `failure`, and a client: each keeps what it got."""

    audit: AuditLog
    reply: Answer = Answer.APPROVED_ONCE
    failure: OpeningError | None = None
    asked: list = attrs.field(factory=list)
    opened: list = attrs.field(factory=list)
    told: list = attrs.field(factory=list)

    async def request(self, uri):
        policy = Policy(box="work", ask=self._ask, audit=self.audit)
        client = Client(peer=77, features=frozenset(), send=self._send, receive=None)
        await Links(policy=policy, opener=self).answer(XdgOpen(uri=uri), client)
        return self.told[-1]

    async def open(self, uri):
        if self.failure:
            raise self.failure
        self.opened.append(uri)

    async def _ask(self, asked):
        self.asked.append(asked)
        return self.reply

    async def _send(self, reply):
        self.told.append(reply)


@pytest.fixture
def desk():
    with AuditLog("work") as audit:
        yield Desk(audit)


def chosen(content):
    os.makedirs(paths.definitions(), exist_ok=True)
    with open(paths.settings("work"), "w") as file:
        file.write(content)


def audited():
    with open(paths.audit_log("work")) as file:
        return [json.loads(line) for line in file]


async def test_a_link_is_asked_about_and_opened(desk):
    assert await desk.request(LINK) == Ack()
    [asked] = desk.asked
    assert asked.fields == (("Site", (Said("example.org"),)), ("Link", (Said(LINK),)))
    assert not asked.approval
    assert desk.opened == [LINK]
    [line] = audited()
    assert (line["what"], line["decision"], line["by"]) == ("xdg_open", "approved", "dialog")
    assert line["detail"] == {"purpose": f'"{LINK}"', "peer": 77}


async def test_what_the_user_declines_is_not_opened(desk):
    desk.reply = Answer.DECLINED
    assert await desk.request(LINK) == Error(reason="the link was declined: the user said no")
    assert desk.opened == []
    assert audited()[0]["decision"] == "declined"


async def test_where_the_settings_allow_it_nobody_is_asked(desk):
    chosen("xdg_open = true")
    assert await desk.request(LINK) == Ack()
    assert (desk.asked, desk.opened) == ([], [LINK])


async def test_where_the_settings_do_not_allow_it_nobody_is_asked_either(desk):
    chosen("xdg_open = false")
    assert "the settings of the box do not allow it" in (await desk.request(LINK)).reason
    assert (desk.asked, desk.opened) == ([], [])


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "ftp://example.org", "https://a b", "-h", "javascript:alert(1)"])
async def test_what_is_no_link_of_the_settings_is_refused_unasked_and_written_down(desk, uri):
    chosen("xdg_open = true")
    told = await desk.request(uri)
    assert told.reason.startswith("the link was refused: ")
    assert (desk.asked, desk.opened) == ([], [])
    [line] = audited()
    assert (line["decision"], line["by"], line["detail"]["purpose"]) == ("refused", "policy", f'"{uri}"')
    assert f"the link was refused: {line['detail']['reason']}" == told.reason


async def test_the_schemes_are_those_of_the_settings_now(desk):
    chosen('xdg_open = true\nxdg_open_schemes = ["ftp"]')
    assert await desk.request("FTP://example.org") == Ack()
    assert isinstance(await desk.request(LINK), Error)
    assert desk.opened == ["FTP://example.org"]


@pytest.mark.parametrize(("failure", "status"), [(OpeningError("it broke"), 4), (NothingOpens("no tool"), 3)])
async def test_a_failure_is_told_with_the_status_of_xdg_open_and_written_down(desk, failure, status):
    desk.failure = failure
    assert await desk.request(LINK) == Error(reason=failure.sentence, status=status)
    assert [line["decision"] for line in audited()] == ["approved", "failed"]


def fields(uri):
    asked = question("work", read(uri, ["https", "mailto"]))
    return tuple((label, rendered(words, 10_000)) for label, words in asked.fields)


def test_the_site_is_named_apart_from_what_imitates_one():
    uri = "https://bank.example@evil.example/"
    assert fields(uri) == (
        ("Site", '"evil.example"'),
        ("User name, not the site", '"bank.example"'),
        ("Link", f'"{uri}"'),
    )


def test_letters_that_look_like_others_are_shown_in_punycode_too():
    uri = "https://\u0430pple.com/"
    in_ascii = ("The site in ASCII", '"xn--pple-43d.com"')
    assert fields(uri) == (("Site", '"\u0430pple.com"'), in_ascii, ("Link", f'"{uri}"'))
    assert text(question("work", read(uri, ["https"]))).startswith('work: open a link to "xn--pple-43d.com"?')


@pytest.mark.parametrize(
    ("site", "shown"),
    [
        ("fa\u00df.de", r"fa\xdf.de"),  # Python's codec makes "fass.de" of it, browsers open another site
        ("\u03b2\u03cc\u03bb\u03bf\u03c2.com", r"\u03b2\u03cc\u03bb\u03bf\u03c2.com"),  # it replaces the last sigma
        ("\u212aelvin.com", "kelvin.com"),
        ("a\u3002com", r"a\u3002com"),
        ("\u13a0\u13a1.com", r"\u13a0\u13a1.com"),  # its small letters are younger than the codec's Unicode
        ("\u4e2d" * 60 + ".com", r"\u4e2d\u4e2d"),  # too long for DNS
        ("B\u00dcCHER.example:8080", "xn--bcher-kva.example:8080"),
    ],
)
def test_the_heading_names_no_other_site_than_the_one_that_a_browser_opens(site, shown):
    asked = question("work", read(f"https://{site}/", ["https"]))
    [heading, *_rest] = text(asked).split("\n")
    assert heading.lstrip("\u200e").startswith(f'work: open a link to "{shown}')
    assert dict(asked.fields)["The site in ASCII"][0].startswith(f'"{shown}')


def test_a_link_without_a_site_is_shown_alone():
    assert fields("mailto:a@example.org") == (("Link", '"mailto:a@example.org"'),)


@pytest.mark.parametrize("length", [150, 161, 400, 632])
def test_a_long_link_is_shown_whole(length):
    uri = "https://example.org/".ljust(length, "x")
    assert "".join(value.strip('"') for label, value in fields(uri) if label.startswith("Link")) == uri
    shown = text(question("work", read(uri, ["https"])), TOO_SOON)  # the second time, too
    assert "more …]" not in shown
    assert shown.count("x") >= length - len("https://example.org/")


def test_a_link_too_long_for_the_window_is_cut_and_its_site_is_not():
    site = "s" * 245 + ".example"
    shown = text(question("work" * 8, read(f"https://{site}/" + "x" * 7000, ["https"])))
    assert "more …]" in shown
    assert shown.count("s") > 245 * 1.3  # and in what is left of the link


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.org/" + "x" * 8000,
        "https://" + "u" * 4000 + "@" + "\u0430" * 250 + "/" + "x" * 300,
        "https://" + "u" * 150 + "@" + "s" * 245 + ".example/" + "x" * 40,
        "https://" + "u" * 150 + "@example.org/" + "x" * 150,
        "https://" + "\u4e2d" * 120 + ".example/" + "\u4e2d" * 200,
        "https://example.org/" + "\u4e2d" * 380,
    ],
)
def test_the_window_has_room_for_the_worst(uri):
    asked = question("work" * 8, read(uri, ["https"]))
    lines = text(asked).split("\n")
    assert len(lines) <= MAX_LINES
    site = "".join(piece.text for label, [piece] in asked.fields if label.startswith("Site"))
    shown = "".join(line.strip("\u200e ") for line in lines)
    assert site[:40] in shown
    assert site[-40:] in shown
    assert all(len(line) <= LINE + 1 for line in lines)
