"""xdg-open from a box to a real desktop: asked about, opened, refused, and written down."""

import json

import attrs
import pytest
from support.link_desktop import link_desktop
from support.user import LONG_ENOUGH, wait_until

LINK = "https://example.org/$(id)/?a=b&c='d'"


@pytest.fixture(params=[True, False], ids=["portal", "xdg-open"])
def desk(request, display, tmp_path_factory):
    with link_desktop(display, str(tmp_path_factory.mktemp("desk")), portal=request.param) as found:
        yield found


@pytest.fixture
def user(user, desk):
    """The user, logged in to the desktop that opens links."""
    return attrs.evolve(user, environment=user.environment | desk.environment)


@pytest.fixture(params=["local", "scratch"])
def image(request):
    return request.param


@pytest.fixture
def box(image, user):
    user.define_and_build("work", 'FROM scratch\nCMD ["/litterbox"]\n' if image == "scratch" else None)
    return "work"


one_of_each = pytest.mark.parametrize(("desk", "image"), [(True, "local"), (False, "scratch")], indirect=True)
only_plain = pytest.mark.parametrize(("desk", "image"), [(False, "local")], indirect=True)


def xdg_open(user, box, *words, status=0):
    return user.litterbox("enter", box, "--", "xdg-open", *words, status=status)


def audit(user):
    return [json.loads(line) for line in user.litterbox("audit", "work", "--json").stdout.splitlines()]


def opened(desk, *links):
    wait_until(lambda: len(desk.opened) >= len(links), what="the link")
    assert desk.opened == list(links)


def test_a_link_reaches_the_handler_where_the_settings_say_so(user, box, desk):
    user.litterbox("settings", box, "set", "xdg_open", "true")
    assert xdg_open(user, box, LINK).stdout == ""
    opened(desk, LINK)
    [line] = audit(user)
    assert (line["what"], line["decision"], line["by"]) == ("xdg_open", "approved", "policy")
    assert line["detail"]["purpose"] == f'"{LINK}"'


@one_of_each
def test_confirm_is_the_default_and_names_the_site(user, box, desk, person):
    link = "https://bank.example@evil.example/login"
    for answer, links, status in ((person.decline, [], 4), (person.approve, [link], 0)):
        with user.start("enter", box, "--", "xdg-open", link) as asking:
            said = answer(box).splitlines()
            asking.communicate(timeout=LONG_ENOUGH)
        assert asking.returncode == status
        assert 'Site: "evil.example"' in said
        assert 'User name, not the site: "bank.example"' in said
        assert f'Link: "{link}"' in said
        opened(desk, *links)
    assert [(line["decision"], line["by"]) for line in audit(user)] == [("declined", "dialog"), ("approved", "dialog")]


@one_of_each
def test_what_may_not_be_opened_is_refused_with_a_sentence(user, box, desk):
    user.litterbox("settings", box, "set", "xdg_open", "true")
    refused = xdg_open(user, box, "ftp://example.org", status=4).stderr
    assert refused == 'litterbox: the link was refused: links with "ftp": may not be opened\n'
    xdg_open(user, box, "javascript:alert(1)", status=4)
    xdg_open(user, box, "https://example.org/a b", status=4)
    assert [(line["decision"], line["by"]) for line in audit(user)] == [("refused", "policy")] * 3
    for word, status in (("/litterbox", 4), ("file:///litterbox", 4), ("/none", 2), ("--nonsense", 1)):
        assert xdg_open(user, box, word, status=status).stderr.startswith("litterbox: xdg-open: ")
    assert desk.opened == []
    user.litterbox("settings", box, "set", "xdg_open_schemes", '["file"]', status=1)


@one_of_each
def test_a_box_that_may_not_has_no_xdg_open(user, box, desk):
    user.litterbox("settings", box, "set", "xdg_open", "false")
    assert "not found" in xdg_open(user, box, LINK, status=127).stderr
    refused = user.litterbox("enter", box, "--", "/litterbox", "xdg-open", LINK, status=4).stderr
    reason = "the settings of the box do not allow it (xdg_open was not granted on this connection)"
    assert refused == f"litterbox: {reason}\n"
    [line] = audit(user)
    assert (line["what"], line["decision"], line["detail"]["reason"]) == ("xdg_open", "refused", reason)
    user.litterbox("settings", box, "set", "xdg_open", "true")
    xdg_open(user, box, LINK)
    opened(desk, LINK)


@only_plain
def test_a_missing_program_is_status_3(user, box):
    user.litterbox("settings", box, "set", "xdg_open", "true")
    user.litterbox("settings", box, "set", "xdg_open_schemes", '["tel"]')
    assert "found no program" in xdg_open(user, box, "tel:+1-201-555-0123", status=3).stderr
    assert [line["decision"] for line in audit(user)] == ["approved", "failed"]


@only_plain
def test_a_browser_that_was_opened_outlives_the_box(user, box, desk):
    user.litterbox("settings", box, "set", "xdg_open", "true")
    desk.stay()
    xdg_open(user, box, LINK)
    user.wait_until_over(box)
    assert len(desk.running) == 1


@only_plain
def test_a_killed_asker_takes_its_question_back(user, box, desk, person):
    with user.start("enter", box, "--", "xdg-open", LINK) as asking:
        wait_until(lambda: not person.sees_nothing(box), what="the window")
        asking.kill()
        asking.wait()
        wait_until(lambda: person.sees_nothing(box), what="its end")
    assert desk.opened == []
