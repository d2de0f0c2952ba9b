"""Notifications on a real desktop: a session bus, and dunst on a virtual display."""

import os

import pytest
import trio
from support.desktop import desktop

from litterbox.capabilities.notification_service import MAX_ACTIONS, NotificationError, Notifier
from litterbox_guest.messages import Action, Notify

YES_OR_NO = [Action(key="yes", label="Yes"), Action(key="no", label="No")]


@pytest.fixture
def dunst(display):
    with desktop(display) as shown:
        yield shown


@pytest.fixture
def notifier(dunst):
    return Notifier("work", lambda: [dunst.bus])


class Told(list):
    async def __call__(self, number):
        self.append(number)


async def shown(dunst, count=1):
    with trio.fail_after(20):
        while await trio.to_thread.run_sync(dunst.count) != count:
            await trio.sleep(0.05)


async def test_the_box_is_named_and_its_words_are_only_words(dunst, notifier):
    told = Told()
    notice = Notify(
        summary="Build\x1b[2J done", body="<b>bold</b> &amp;\nline", app="make", urgency="critical", icon="/etc/passwd"
    )
    assert await notifier.notify(notice, told) is None
    await shown(dunst)
    dunst.close_all()
    [entry] = dunst.displayed()
    assert entry["id"] == told[0]
    assert entry["appname"] == "Litterbox: work, make"
    assert entry["summary"] == r"work: Build\x1b[2J done"
    assert entry["body"] == "&lt;b&gt;bold&lt;/b&gt; &amp;amp;\nline"
    assert entry["urgency"] == "CRITICAL"
    assert entry["icon_path"] == ""


async def result_of(dunst, notifier, actions, end):
    """What a notification with `actions` answers that is ended by `end` on the desktop."""
    result = []

    async def wait():
        result.append(await notifier.notify(Notify(summary="Deploy?", actions=actions), Told()))

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await shown(dunst)
            await trio.to_thread.run_sync(end)
    return result


@pytest.mark.parametrize("actions", [[Action(key="go", label="Go")], [Action(key="default", label="Open"), *YES_OR_NO]])
async def test_the_chosen_action_is_the_boxs_own_key(dunst, notifier, actions):
    assert await result_of(dunst, notifier, actions, dunst.choose) == [actions[0].key]


async def test_one_that_is_closed_chose_nothing(dunst, notifier):
    assert await result_of(dunst, notifier, YES_OR_NO, dunst.close_all) == [None]


async def test_one_that_expires_ends_the_wait(notifier):
    with trio.fail_after(20):
        assert await notifier.notify(Notify(summary="Soon gone", timeout=300, wait=True), Told()) is None


async def test_a_withdrawn_wait_closes_it(dunst, notifier):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(notifier.notify, Notify(summary="Deploy?", wait=True, timeout=0), Told())
        await shown(dunst)
        nursery.cancel_scope.cancel()
    await shown(dunst, 0)


async def test_a_service_that_vanishes_ends_the_wait_with_a_sentence(dunst, notifier):
    async def kill():
        await shown(dunst)
        dunst.service.kill()

    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill)
            with pytest.raises(NotificationError, match="went away"):
                await notifier.notify(Notify(summary="Deploy?", wait=True, timeout=0), Told())


async def test_only_the_boxs_own_notifications_are_replaced(dunst, notifier):
    other, mine = Told(), Told()
    await Notifier("other", lambda: [dunst.bus]).notify(Notify(summary="theirs", timeout=0), other)
    await notifier.notify(Notify(summary="first", replaces=other[0], timeout=0), mine)
    await shown(dunst, 2)
    await notifier.notify(Notify(summary="second", replaces=mine[0], timeout=0), mine)
    assert mine[1] == mine[0] != other[0]
    await shown(dunst, 2)


async def test_the_next_bus_is_tried_where_the_newest_is_gone(dunst):
    told = Told()
    gone = "unix:path=/nonexistent/bus"
    await Notifier("work", lambda: [gone, "nonsense", "tcp:host=localhost,port=1", dunst.bus]).notify(
        Notify(summary="Done"), told
    )
    assert len(told) == 1


@pytest.mark.parametrize("buses", [[], ["unix:path=/nonexistent/bus"]])
async def test_without_a_desktop_there_is_a_sentence(buses):
    with pytest.raises(NotificationError, match="no login of the box has a desktop"):
        await Notifier("work", lambda: buses).notify(Notify(summary="Done"), Told())


async def test_a_bus_without_a_service_is_an_error(dunst, notifier):
    dunst.service.kill()
    dunst.service.wait()
    with pytest.raises(NotificationError), trio.fail_after(20):
        await notifier.notify(Notify(summary="Done"), Told())


@pytest.mark.parametrize(
    "notice", [Notify(summary=" "), Notify(summary="x", actions=[Action(key="k", label="l")] * (MAX_ACTIONS + 1))]
)
async def test_what_no_desktop_could_show_is_refused(notice):
    with pytest.raises(NotificationError):
        await Notifier("work", list).notify(notice, Told())


async def test_many_long_words_are_shortened(dunst, notifier):
    await notifier.notify(Notify(summary="S" * 200_000, body="\n".join(["B" * 1000] * 1000)), Told())
    await shown(dunst)
    dunst.close_all()
    [entry] = dunst.displayed()
    assert len(entry["summary"]) < 400
    assert entry["body"].count("\n") < 20


def test_no_bus_of_this_test_is_the_users(dunst):
    assert dunst.bus != os.environ.get("DBUS_SESSION_BUS_ADDRESS")
