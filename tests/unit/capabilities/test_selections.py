"""Which login's desktop is spoken to, with which words, and what its answers mean; the tools are scripts here."""

import io
import os
import shlex

import pytest

from litterbox.capabilities import selections, tool
from litterbox.capabilities.selections import Selection, SelectionError, Selections

WAYLAND = {"WAYLAND_DISPLAY": "wayland-1"}
X11 = {"DISPLAY": ":1"}
TEXT = "text/plain;charset=utf-8"


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Make scripts in place of the tools; each writes down where and how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    os.symlink("/bin/sh", folder / "sh")
    for name in ("cat", "head", "printf"):
        os.symlink(f"/usr/bin/{name}", folder / name)
    monkeypatch.setenv("PATH", str(folder))

    def make(**scripts):
        for name, script in scripts.items():
            path = folder / name.replace("_", "-")
            note = f'printf "%s\\n" "$WAYLAND_DISPLAY$DISPLAY {path.name} $*" >> {tmp_path}/calls'
            path.write_text(f"#!/bin/sh\n{note}\n{script}\n")
            path.chmod(0o755)

    return make


@pytest.fixture
def calls(tmp_path):
    return lambda: (tmp_path / "calls").read_text().splitlines()


@pytest.fixture
def content(tmp_path):
    path = tmp_path / "content"
    path.write_bytes(b"hello")
    with open(path, "rb") as file:
        yield file


def of(*logins):
    return Selections(lambda: logins)


async def test_wayland_is_spoken_to_through_wl_copy(tools, calls, content, tmp_path):
    tools(wl_copy=f"cat > {tmp_path}/copied", xclip="exit 1")
    content.read()  # whoever wrote it left it at its end
    await of({**WAYLAND, **X11}).set(Selection.CLIPBOARD, "image/png", content)
    await of(WAYLAND).set(Selection.PRIMARY, TEXT, content)
    assert (tmp_path / "copied").read_bytes() == b"hello"
    assert calls() == [
        "wayland-1:1 wl-copy --type=image/png",
        f"wayland-1 wl-copy --type={TEXT} --primary",
    ]


async def test_x11_is_spoken_to_through_xclip_and_text_is_what_its_programs_call_it(tools, calls, content, tmp_path):
    tools(
        xclip=f"""case $5 in
            TARGETS) echo image/png; echo UTF8_STRING ;;
            *) [ $1 = -in ] && cat > {tmp_path}/copied || cat {tmp_path}/copied ;;
        esac"""
    )
    await of(X11).set(Selection.CLIPBOARD, "image/png", content)
    await of(X11).set(Selection.PRIMARY, TEXT, content)
    assert [call for call in calls() if "-in" in call] == [
        ":1 xclip -in -selection clipboard -target image/png",
        ":1 xclip -in -selection primary -target UTF8_STRING",
    ]


async def test_what_xclip_copies_is_there_before_it_is_said_to_be(tools, calls, content, tmp_path):
    tools(
        xclip=f"""case $1$5 in
            -in*) exit 0 ;;
            *TARGETS) [ -e {tmp_path}/asked ] || {{ printf x > {tmp_path}/asked; exit 1; }}; echo UTF8_STRING ;;
            *) if [ -e {tmp_path}/read ]; then printf hello; else printf x > {tmp_path}/read; printf earlier; fi ;;
        esac"""
    )
    await of(X11).set(Selection.CLIPBOARD, TEXT, content)
    assert len(calls()) == 1 + 1 + 2 + 2  # copied; no owner; another's; ours


async def test_what_another_program_copies_at_once_is_no_failure(tools, content, monkeypatch):
    monkeypatch.setattr(selections, "_SETTLE_TIMEOUT", 0.1)
    tools(xclip='[ "$5" = TARGETS ] && echo UTF8_STRING || printf another')
    await of(X11).set(Selection.CLIPBOARD, TEXT, content)


async def test_the_next_is_tried_where_the_newest_does_not_work(tools, calls, content, tmp_path):
    tools(
        wl_copy=f'cat > {tmp_path}/copied; [ "$WAYLAND_DISPLAY" = good ]', xclip='[ "$DISPLAY" = good ] && echo TARGETS'
    )
    await of({"WAYLAND_DISPLAY": "bad"}, X11, {"WAYLAND_DISPLAY": "good"}, X11).set(
        Selection.CLIPBOARD, "image/png", content
    )
    assert [line.split()[0] for line in calls()] == ["bad", ":1", "good"]
    assert (tmp_path / "copied").read_bytes() == b"hello"


async def test_an_empty_clipboard_is_not_one_that_does_not_work(tools, calls):
    tools(wl_paste="echo 'Nothing is copied' >&2; exit 1", xclip="exit 0")
    with pytest.raises(SelectionError, match=r"^the clipboard is empty$"):
        await of({**WAYLAND, **X11}).get(Selection.CLIPBOARD, TEXT)
    assert len(calls()) == 1


async def test_an_empty_selection_of_x11(tools):
    tools(xclip="echo 'Error: target TARGETS not available' >&2; exit 1")
    with pytest.raises(SelectionError, match=r"^the primary selection is empty$"):
        await of(X11).get(Selection.PRIMARY, TEXT)


@pytest.mark.parametrize(
    ("offered", "wanted", "taken"),
    [
        ("TARGETS UTF8_STRING STRING", TEXT, "UTF8_STRING"),
        ("UTF8_STRING text/plain;charset=utf-8", TEXT, "text/plain;charset=utf-8"),
        ("text/html text/plain;charset=UTF-8", TEXT, "text/plain;charset=UTF-8"),
        ("text/html text/plain", TEXT, "text/plain"),
        ("UTF8_STRING", "text/plain", "UTF8_STRING"),
        ("text/plain text/html", "text/html", "text/html"),
        ("image/PNG image/jpeg", "image/png", "image/PNG"),
    ],
)
async def test_what_is_offered_is_what_is_asked_for(tools, calls, offered, wanted, taken):
    words = shlex.join(offered.split())
    tools(xclip=f'[ "$5" = TARGETS ] && printf "%s\\n" {words} || printf content')
    assert await of(X11).get(Selection.CLIPBOARD, wanted) == b"content"
    assert calls()[-1] == f":1 xclip -out -selection clipboard -target {taken}"


@pytest.mark.parametrize(("offered", "wanted"), [("image/jpeg", "image/png"), ("text/html", TEXT), ("TARGETS", TEXT)])
async def test_a_type_that_is_not_offered_is_not_asked_for(tools, calls, offered, wanted):
    tools(wl_paste=f"echo {offered}")
    with pytest.raises(SelectionError, match=f'^the clipboard holds nothing of the type "{wanted}"$'):
        await of(WAYLAND).get(Selection.CLIPBOARD, wanted)
    assert calls() == ["wayland-1 wl-paste --list-types"]


async def test_a_string_of_x11_is_latin_1(tools):
    tools(xclip='[ "$5" = TARGETS ] && echo STRING || printf "caf\\351"')
    assert await of(X11).get(Selection.CLIPBOARD, TEXT) == "café".encode()


@pytest.mark.parametrize("offered", ["text/plain", "STRING"])
async def test_what_is_larger_than_goes_through_is_refused_whole(tools, monkeypatch, offered):
    monkeypatch.setattr(selections, "MAX_SIZE", 8)
    tools(wl_paste=f'[ "$1" = --list-types ] && echo {offered} || printf "\\351\\351\\351\\351$MORE"')
    monkeypatch.setattr(tool, "_INHERITED", ("PATH", "MORE"))
    assert len(await of(WAYLAND).get(Selection.CLIPBOARD, TEXT)) == (8 if offered == "STRING" else 4)
    monkeypatch.setenv("MORE", "12345")
    with pytest.raises(SelectionError, match=r"^the clipboard holds more than 8 bytes, which is the limit$"):
        await of(WAYLAND).get(Selection.CLIPBOARD, TEXT)


async def test_a_clipboard_that_cannot_be_read_any_more(tools):
    tools(wl_paste='[ "$1" = --list-types ] && echo text/plain')
    with pytest.raises(SelectionError, match=r"^the clipboard could not be read$"):
        await of(WAYLAND, X11).get(Selection.CLIPBOARD, TEXT)


@pytest.mark.parametrize(
    ("logins", "sentence"),
    [
        ([], "no login of the box has a display, so there is no clipboard"),
        ([{"DBUS_SESSION_BUS_ADDRESS": "x", "DISPLAY": ""}], "no login of the box has a display, so there is no cl"),
        ([WAYLAND, WAYLAND], "the host has no wl-clipboard installed"),
        ([{**WAYLAND, **X11}], "the host has no wl-clipboard and no xclip installed"),
    ],
)
async def test_without_a_desktop_or_its_tools_there_is_a_sentence(tools, logins, sentence):
    with pytest.raises(SelectionError, match=f"^{sentence}"):
        await of(*logins).get(Selection.CLIPBOARD, TEXT)
    with pytest.raises(SelectionError, match=f"^{sentence}"):
        await of(*logins).set(Selection.CLIPBOARD, TEXT, io.BytesIO())


async def test_where_none_works_there_is_a_sentence(tools, content):
    tools(wl_copy="exit 1", wl_paste="exit 1")
    for wanted in (
        of(WAYLAND).get(Selection.CLIPBOARD, TEXT),
        of(WAYLAND, X11).set(Selection.CLIPBOARD, TEXT, content),
    ):
        with pytest.raises(SelectionError, match=r"^no login of the box has a clipboard that works$"):
            await wanted
