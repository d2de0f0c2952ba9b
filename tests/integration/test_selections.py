"""The clipboard of a real Wayland compositor and of a real X server, through wl-clipboard and xclip."""

import hashlib
import os
import signal
import zlib

import pytest
import trio
from support.selections import TEXT, tools_running, wayland, x11

from litterbox.capabilities.selections import MAX_SIZE, Selection, SelectionError, Selections

CLIPBOARD, PRIMARY = Selection


@pytest.fixture(params=[wayland, x11])
def desktop(request):
    with request.param() as found:
        yield found
    trio.run(running, 0)  # whatever served a selection ends with its desktop


@pytest.fixture
def selections(desktop):
    return Selections(lambda: [desktop.environment])


async def running(count):
    with trio.fail_after(20):
        while len(tools_running()) != count:
            await trio.sleep(0.02)


@pytest.fixture
def file(tmp_path):
    """Make an open file with that content."""
    opened = []

    def make(content):
        opened.append((tmp_path / str(len(opened))).open("w+b", buffering=0))
        opened[-1].write(content)
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def png():
    """A picture of one pixel."""

    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    pixel = zlib.compress(b"\0\xff\0\n")
    header = (1).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


@pytest.mark.parametrize("which", list(Selection))
@pytest.mark.parametrize("text", ["hello", "a\n", "h\u00e9llo \u20ac\r\n\n", "", "-n"])
async def test_text_goes_both_ways_byte_for_byte(desktop, selections, file, which, text):
    primary = which is PRIMARY
    await selections.set(which, TEXT, file(text.encode()))
    assert desktop.paste(primary=primary) == text.encode()
    desktop.copy(f"{text} back".encode(), primary=primary)
    assert await selections.get(which, TEXT) == f"{text} back".encode()
    assert await selections.get(which, "text/plain") == f"{text} back".encode()


async def test_a_picture_keeps_its_checksum(desktop, selections, file):
    await selections.set(CLIPBOARD, "image/png", file(png()))
    assert hashlib.sha256(desktop.paste("image/png")).digest() == hashlib.sha256(png()).digest()
    desktop.copy(png() * 2, "image/png")
    assert await selections.get(CLIPBOARD, "image/png") == png() * 2


async def test_the_selections_are_two(desktop, selections, file):
    await selections.set(CLIPBOARD, TEXT, file(b"one"))
    await selections.set(PRIMARY, TEXT, file(b"two"))
    assert (desktop.paste(), desktop.paste(primary=True)) == (b"one", b"two")
    assert (await selections.get(CLIPBOARD, TEXT), await selections.get(PRIMARY, TEXT)) == (b"one", b"two")


async def test_16_mib_go_through_and_a_byte_more_is_refused(desktop, selections, file):
    content = os.urandom(MAX_SIZE)
    await selections.set(CLIPBOARD, "application/octet-stream", file(content))
    assert desktop.paste("application/octet-stream") == content
    assert await selections.get(CLIPBOARD, "application/octet-stream") == content
    desktop.copy(content + b"x", "application/octet-stream")
    with pytest.raises(SelectionError, match="more than 16,777,216 bytes"):
        await selections.get(CLIPBOARD, "application/octet-stream")
    await running(1)  # the user's own


@pytest.mark.parametrize("which", list(Selection))
async def test_an_empty_one_is_said_to_be_empty(selections, which):
    with pytest.raises(SelectionError, match=f"^the {which.value} is empty$"):
        await selections.get(which, TEXT)


async def test_a_type_that_is_not_offered(desktop, selections):
    desktop.copy(png(), "image/png")
    for wanted in ("image/jpeg", TEXT):
        with pytest.raises(SelectionError, match=r"^the clipboard holds nothing of the type"):
            await selections.get(CLIPBOARD, wanted)


async def test_what_serves_a_copy_ends_when_something_else_is_copied(desktop, selections, file):
    for content in (b"one", b"two", b"three"):
        await selections.set(CLIPBOARD, TEXT, file(content))
        await running(1)
    desktop.copy(b"the user's")
    await running(1)
    assert desktop.paste() == b"the user's"


async def test_what_serves_a_copy_keeps_no_file_of_ours_open_for_writing(desktop, selections, file):
    """Else the daemon's memory could change what was copied."""
    copied = file(b"one")
    await selections.set(CLIPBOARD, TEXT, copied)
    copied.seek(0)
    copied.write(b"two")
    assert desktop.paste() == b"one"


async def test_a_cancelled_reading_leaves_nothing_behind(desktop, selections):
    desktop.copy(b"hello")
    [owner] = tools_running()
    os.kill(owner, signal.SIGSTOP)  # it answers nobody any more
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(selections.get, CLIPBOARD, TEXT)
            await running(2)
            await trio.sleep(0.2)
            nursery.cancel_scope.cancel()
        assert tools_running() == [owner]
    finally:
        os.kill(owner, signal.SIGCONT)


async def test_the_next_login_is_tried_where_the_newest_is_gone(desktop, file):
    gone = [{"WAYLAND_DISPLAY": "/nonexistent/wayland-0"}, {"DISPLAY": ":9999"}]
    selections = Selections(lambda: [*gone, desktop.environment])
    await selections.set(CLIPBOARD, TEXT, file(b"hello"))
    assert desktop.paste() == b"hello"
    assert await selections.get(CLIPBOARD, TEXT) == b"hello"


async def test_where_none_works_there_is_a_sentence(file):
    selections = Selections(lambda: [{"WAYLAND_DISPLAY": "/nonexistent/wayland-0"}, {"DISPLAY": ":9999"}])
    with pytest.raises(SelectionError, match=r"^no login of the box has a clipboard that works$"):
        await selections.set(CLIPBOARD, TEXT, file(b"hello"))
    with pytest.raises(SelectionError, match=r"^no login of the box has a clipboard that works$"):
        await selections.get(CLIPBOARD, TEXT)
    assert tools_running() == []
