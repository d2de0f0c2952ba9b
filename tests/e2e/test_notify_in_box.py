"""notify-send from a box to a real desktop, and what the settings and the audit log have to do with it."""

import json

import attrs
import pytest
from support.desktop import desktop
from support.user import BASE_IMAGE, LONG_ENOUGH, wait_until


@pytest.fixture
def dunst(display):
    with desktop(display) as shown:
        yield shown


@pytest.fixture
def user(user, dunst):
    """The user, logged in to the desktop that shows notifications."""
    return attrs.evolve(user, environment=user.environment | dunst.environment)


@pytest.fixture(params=["local", "scratch"])
def box(request, user):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    if request.param == "scratch":
        with open(f"{user.root}/definitions/work/Dockerfile", "w") as file:
            file.write('FROM scratch\nCMD ["/litterbox"]\n')
    user.litterbox("build", "work")
    return "work"


def enter(user, box, *words, status=0):
    return user.litterbox("enter", box, "--", "notify-send", *words, status=status)


def audit(user):
    return [json.loads(line) for line in user.litterbox("audit", "work", "--json").stdout.splitlines()]


def test_a_notification_of_the_box_is_shown_with_its_name(user, box, dunst):
    printed = enter(user, box, "-p", "-u", "low", "Build <b>done</b>", "line").stdout
    wait_until(lambda: dunst.count() == 1, what="the notification")
    dunst.close_all()
    [entry] = dunst.displayed()
    assert (entry["appname"], entry["summary"]) == ("Litterbox: work", "work: Build <b>done</b>")
    assert printed == f"{entry['id']}\n"
    assert [line["what"] for line in audit(user)] == ["notify"]


def test_the_action_that_was_chosen_on_the_host_is_printed_in_the_box(user, box, dunst):
    with user.start("enter", box, "--", "notify-send", "-A", "default=Yes", "-A", "no=No", "Deploy?") as asking:
        wait_until(lambda: dunst.count() == 1, what="the notification")
        dunst.choose()
        assert asking.communicate(timeout=LONG_ENOUGH) == ("default\n", "")
    assert asking.returncode == 0


def test_a_box_that_may_not_is_told_so(user, box, dunst):
    user.litterbox("settings", box, "set", "notify", "false")
    refused = user.litterbox("enter", box, "--", "/litterbox", "notify-send", "Done", status=1).stderr
    reason = "the settings of the box do not allow it (notify was not granted on this connection)"
    assert refused == f"litterbox: {reason}\n"
    [line] = audit(user)
    assert (line["what"], line["decision"], line["detail"]["reason"]) == ("notify", "refused", reason)
    assert "not found" in enter(user, box, "Done", status=127).stderr  # its link is withdrawn
    assert dunst.count() == 0
    user.litterbox("settings", box, "set", "notify", "true")
    enter(user, box, "Done")
    wait_until(lambda: dunst.count() == 1, what="the notification")


def test_confirm_asks_first(user, box, dunst, person):
    user.litterbox("settings", box, "set", "notify", "confirm")
    for answer, count in ((person.decline, 0), (person.approve, 1)):
        with user.start("enter", box, "--", "notify-send", "Done", "with everything") as asking:
            assert 'Body: "with everything"' in answer(box)
            asking.communicate(timeout=LONG_ENOUGH)
        assert asking.returncode == 1 - count
        assert dunst.count() == count
    assert [line["decision"] for line in audit(user)] == ["declined", "approved"]


def test_a_killed_sender_takes_its_notification_back(user, box, dunst):
    with user.start("enter", box, "--", "notify-send", "--wait", "-t", "0", "Deploy?") as asking:
        wait_until(lambda: dunst.count() == 1, what="the notification")
        asking.kill()
        asking.wait()
        wait_until(lambda: dunst.count() == 0, what="its end")
