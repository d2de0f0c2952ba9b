"""Links on real desktops: the real portal, and the host's xdg-open where a bus has none, to a handler that records."""

import ctypes
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
import trio
from support.link_desktop import link_desktop

from litterbox.capabilities.xdg_open import portal, portal_process, program
from litterbox.capabilities.xdg_open.opener import open_opener
from litterbox.capabilities.xdg_open.portal_process import Outcome
from litterbox.capabilities.xdg_open.program import NotChosen, NothingOpens, OpeningError
from litterbox.private_memory import keep_memory_private

LINK = "https://example.org/$(id)/`id`;'x'?a=%20&b=*#~"
PR_SET_DUMPABLE = 4  # prctl(2)
UNKNOWN = "litterbox-test:x"  # no program takes it


@pytest.fixture(params=["portal", "plain", "GNOME"])
def kind(request):
    return request.param


@pytest.fixture
def desk(display, tmp_path, kind):
    with link_desktop(display, str(tmp_path), portal=kind == "portal") as found:
        yield found


@pytest.fixture
def login(desk, kind):
    """The environment of a program on that desktop."""
    return {**os.environ, **desk.environment, "XDG_CURRENT_DESKTOP": "GNOME" if kind == "GNOME" else ""}


@pytest.fixture
async def opener(login):
    async with open_opener(lambda: [login]) as found:
        yield found


only_plain = pytest.mark.parametrize("kind", ["plain"], indirect=True)
only_portal = pytest.mark.parametrize("kind", ["portal"], indirect=True)


async def opened(desk, count=1):
    with trio.fail_after(20):
        while len(desk.opened) < count:
            await trio.sleep(0.02)


async def ended(desk):
    with trio.fail_after(20):
        while desk.running:
            await trio.sleep(0.02)


async def test_a_link_reaches_the_handler_as_it_is(opener, desk):
    await opener.open(LINK)
    await opened(desk)
    await opener.open("mailto:someone@example.org?subject=a%20b")
    await opened(desk, 2)
    assert desk.opened == [LINK, "mailto:someone@example.org?subject=a%20b"]


@only_portal
async def test_a_desktop_with_a_portal_needs_no_xdg_open(login, desk):
    async with open_opener(lambda: [{**login, "PATH": "/nonexistent"}]) as opener:
        await opener.open(LINK)
    await opened(desk)


async def test_a_browser_that_stays_is_the_users(opener, desk, kind, monkeypatch):
    monkeypatch.setattr(program, "SETTLE_DELAY", 1.0)
    desk.stay()
    with trio.fail_after(30):
        await opener.open(LINK)
    await opened(desk)
    await trio.sleep(0.5)
    [browser] = desk.running
    if kind == "plain":  # xdg-open is its parent
        assert os.getpgid(browser) != os.getpgid(0)
    desk.end_handlers()
    await ended(desk)
    await reaped()


async def reaped():
    """Wait until the xdg-open that was the browser's parent has been waited for."""
    with trio.fail_after(20):
        while any(name == b"xdg-open\n" for name in map(name_of, children())):
            await trio.sleep(0.02)


def children():
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            yield from file.read().split()


def name_of(pid):
    with open(f"/proc/{pid}/comm", "rb") as file:
        return file.read()


@only_plain
async def test_a_request_that_is_taken_back_takes_along_what_it_started(opener, desk):
    desk.stay()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(opener.open, LINK)
        await opened(desk)
        [browser] = desk.running
        group = os.getpgid(browser)
        nursery.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)  # all of it has ended, and was reaped


@only_plain
async def test_programs_that_stay_are_bounded(opener, desk, monkeypatch):
    monkeypatch.setattr(program, "SETTLE_DELAY", 0.5)
    monkeypatch.setattr(program, "MAX_RUNNING", 2)
    desk.stay()
    for _ in range(2):
        await opener.open(LINK)
    with pytest.raises(OpeningError, match="2 programs that opened links still run"):
        await opener.open(LINK)
    await opened(desk, 2)
    desk.end_handlers()
    with trio.fail_after(20):
        while True:
            try:
                await opener.open(LINK)
                break
            except OpeningError:
                await trio.sleep(0.05)
    await opened(desk, 3)
    desk.end_handlers()
    await ended(desk)


@only_plain
async def test_a_link_that_nothing_takes_is_a_missing_tool(opener, desk):
    with pytest.raises(NothingOpens, match="found no program"):
        await opener.open(UNKNOWN)


@only_plain
async def test_a_host_without_xdg_open_is_a_missing_tool(login):
    async with open_opener(lambda: [{**login, "PATH": "/nonexistent"}]) as opener:
        with pytest.raises(NothingOpens, match="neither a desktop portal nor xdg-open"):
            await opener.open(LINK)


@pytest.mark.parametrize(
    "gone",
    [
        {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"},
        {"DBUS_SESSION_BUS_ADDRESS": None, "DISPLAY": ":987"},
        {"DBUS_SESSION_BUS_ADDRESS": None, "DISPLAY": "localhost:9876.0"},
        {"DBUS_SESSION_BUS_ADDRESS": None, "DISPLAY": "nonsense", "WAYLAND_DISPLAY": "wayland-77"},
    ],
)
async def test_a_login_that_is_over_is_passed_over(login, desk, gone):
    over = {name: value for name, value in {**login, **gone}.items() if value is not None}
    async with open_opener(lambda: [over, login]) as opener:
        await opener.open(LINK)
        await opened(desk)
    async with open_opener(lambda: [over]) as opener:
        with pytest.raises(OpeningError, match="no login of the box has a desktop to open links on"):
            await opener.open(LINK)
    assert desk.opened == [LINK]


@only_plain
async def test_a_login_without_a_bus_has_xdg_open(login, desk):
    without = {name: value for name, value in login.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
    async with open_opener(lambda: [without]) as opener:
        await opener.open(LINK)
    await opened(desk)


@only_plain
async def test_the_users_own_bus_without_a_display_needs_a_portal(login):
    without = {name: value for name, value in login.items() if name != "DISPLAY"}
    async with open_opener(lambda: [without]) as opener:
        with pytest.raises(NothingOpens, match="no login of the box has a display"):
            await opener.open(LINK)


async def asked_for_a_program(display):
    """The portal's window that asks with which program."""
    return await display.window("Open With")


@only_portal
async def test_a_portal_opens_links_for_a_daemon_whose_memory_is_private(opener, desk):
    """It would refuse the daemon itself, at whose /proc/PID/root it may not look."""
    keep_memory_private()
    try:
        await opener.open(LINK)
    finally:
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    await opened(desk)


@only_portal
async def test_a_request_whose_daemon_is_killed_takes_the_question_along(login, display):
    """The process that called the portal sees the end of its input."""
    command = [sys.executable, "-P", "-m", portal_process.__name__, login["DBUS_SESSION_BUS_ADDRESS"], "60"]
    process = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE)
    await process.stdin.send_all(UNKNOWN.encode() + b"\n")
    await asked_for_a_program(display)
    await process.stdin.aclose()
    await display.no_window("Open With")
    with trio.fail_after(20):
        assert await process.wait() == Outcome.WITHDRAWN


@only_portal
async def test_a_user_who_chooses_no_program_is_not_asked_again(opener, desk, display):
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(raises, NotChosen, opener.open, UNKNOWN))
            await display.close(await asked_for_a_program(display))
    assert desk.opened == []


@only_portal
async def test_a_request_that_is_taken_back_takes_the_question_along(opener, display):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(opener.open, UNKNOWN)
        await asked_for_a_program(display)
        nursery.cancel_scope.cancel()
    await display.no_window("Open With")


@only_portal
async def test_a_user_who_does_not_answer_is_not_waited_for_without_end(opener, display, monkeypatch):
    monkeypatch.setattr(portal, "TIMEOUT", 3.0)
    with trio.fail_after(60), pytest.raises(NotChosen, match="nobody chose"):
        await opener.open(UNKNOWN)
    await display.no_window("Open With")


@only_portal
async def test_a_portal_that_dies_is_an_error_with_a_sentence(opener, desk, display):
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(raises, OpeningError, opener.open, UNKNOWN, saying="the desktop's portal: "))
            await asked_for_a_program(display)
            os.kill(desk.portal(), signal.SIGKILL)


async def raises(error, function, *arguments, saying=None):
    with pytest.raises(error, match=saying):
        await function(*arguments)
