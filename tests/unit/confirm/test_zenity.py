"""What is made of a dialog program's exit status and output, with scripts that do what no zenity does on request."""

import json
import logging
import os
from collections.abc import Callable
from functools import partial

import attrs
import pytest
import trio

from litterbox.confirm import zenity
from litterbox.confirm.question import Answer, Approval, Question

QUESTION = Question(box="work", action="sign", fields=(("Key", "github"),), request=b"")
WITH_SESSION = attrs.evolve(QUESTION, approval=Approval("sign", "a", "b"))
ONCE_AND_FOR_ALL = attrs.evolve(WITH_SESSION, once=True)
LABEL = "Allow this until the box stops"
DISPLAYS = [{"DISPLAY": ":1"}]

Program = Callable[[str], str]

shown = partial(zenity.show, min_reading_time=0.0)  # these programs answer at once


@pytest.fixture
def program(tmp_path) -> Program:
    """Make a shell script and return its path."""

    def make(script: str) -> str:
        path = tmp_path / "zenity"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("exit $ZENITY_OK", Answer.APPROVED_ONCE),
        ("exit $ZENITY_CANCEL", Answer.DECLINED),
        ("exit $ZENITY_ESC", Answer.DECLINED),
        ("exit $ZENITY_TIMEOUT", Answer.TIMED_OUT),
        ("exit $ZENITY_ERROR", Answer.NOT_SHOWN),
        (f"echo '{LABEL}'; exit $ZENITY_EXTRA", Answer.APPROVED_SESSION),
        (f"echo '{LABEL}'; exit $ZENITY_ESC", Answer.APPROVED_SESSION),
        (f"echo ' {LABEL}'; exit $ZENITY_ESC", Answer.DECLINED),
        (f"printf '{LABEL}'; exit $ZENITY_ESC", Answer.DECLINED),
        (f"echo '{LABEL}'; echo; exit $ZENITY_ESC", Answer.DECLINED),
        (f"echo '{LABEL}'; exit $ZENITY_TIMEOUT", Answer.TIMED_OUT),
        (f"echo '{LABEL}'; exit 0", Answer.NOT_SHOWN),
        (f"echo '{LABEL}'; exit 1", Answer.NOT_SHOWN),
        ("exit $ZENITY_EXTRA", Answer.NOT_SHOWN),
        ("exit 0", Answer.NOT_SHOWN),
        ("exit 1", Answer.NOT_SHOWN),
        ("exit 255", Answer.NOT_SHOWN),
        ("kill -KILL $$", Answer.NOT_SHOWN),
        ("kill -TERM $$", Answer.NOT_SHOWN),
    ],
)
async def test_only_the_buttons_own_status_and_label_approve(program, script, answer):
    assert await shown(WITH_SESSION, displays=DISPLAYS, program=program(script)) is answer


async def test_the_label_approves_nothing_where_it_was_not_offered(program):
    script = program(f"echo '{LABEL}'; exit $ZENITY_ESC")
    assert await shown(QUESTION, displays=DISPLAYS, program=script) is Answer.DECLINED


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ("exit $ZENITY_OK", Answer.APPROVED_SESSION),
        ("exit $ZENITY_CANCEL", Answer.DECLINED),
        ("exit $ZENITY_TIMEOUT", Answer.TIMED_OUT),
        (f"echo '{LABEL}'; exit $ZENITY_ESC", Answer.DECLINED),
        (f"echo '{LABEL}'; exit $ZENITY_EXTRA", Answer.NOT_SHOWN),
        ("exit 0", Answer.NOT_SHOWN),
    ],
)
async def test_what_is_asked_once_and_for_all_is_approved_for_the_session(program, script, answer):
    assert await shown(ONCE_AND_FOR_ALL, displays=DISPLAYS, program=program(script)) is answer


@pytest.mark.parametrize(
    ("question", "buttons"),
    [
        (QUESTION, ["--ok-label=Allow once", "--cancel-label=Decline"]),
        (WITH_SESSION, ["--ok-label=Allow once", "--cancel-label=Decline", f"--extra-button={LABEL}"]),
        (ONCE_AND_FOR_ALL, [f"--ok-label={LABEL}", "--cancel-label=Decline"]),
    ],
)
async def test_only_the_answers_that_there_are_have_a_button(program, tmp_path, question, buttons):
    script = program(f'for word; do printf "%s\\0" "$word"; done > {tmp_path}/words; exit 1')
    await shown(question, displays=DISPLAYS, program=script)
    words = (tmp_path / "words").read_text().split("\0")
    assert [word for word in words if "label" in word or "button" in word] == buttons


async def test_each_display_is_tried_until_one_shows(program):
    script = program('[ "$DISPLAY" = :3 ] && exit $ZENITY_OK; exit 1')
    displays = [{"DISPLAY": ":1"}, {"DISPLAY": ":2"}, {"DISPLAY": ":3"}]
    assert await shown(QUESTION, displays=displays, program=script) is Answer.APPROVED_ONCE
    assert await shown(QUESTION, displays=displays[:2], program=script) is Answer.NOT_SHOWN


async def test_the_log_says_why_there_was_no_dialog(program, caplog):
    await shown(QUESTION, displays=[], program=program("exit 1"))
    await shown(QUESTION, displays=DISPLAYS, program="no-such-zenity")
    await shown(QUESTION, displays=DISPLAYS, program=program("echo cannot open display >&2; exit 1"))
    await shown(QUESTION, displays=DISPLAYS, program=program("exit 77"))
    assert [record.message for record in caplog.records] == [
        "work: no dialog: no login of this box has a display",
        "work: no dialog: no-such-zenity is not installed",
        "work: no dialog on :1: cannot open display",
        "work: no dialog on :1: zenity ended with status 77",
    ]


async def test_a_program_that_cannot_be_started_is_not_shown(tmp_path, caplog):
    broken = tmp_path / "zenity"
    broken.write_bytes(b"\x7fELF of no machine")
    broken.chmod(0o755)
    assert await shown(QUESTION, displays=DISPLAYS, program=str(broken)) is Answer.NOT_SHOWN
    assert "Exec format error" in caplog.text


async def test_it_gets_the_display_and_little_else(program, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    script = program(f"env -0 > {tmp_path}/environment; exit 1")
    display = {"WAYLAND_DISPLAY": "wayland-0", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}
    await shown(QUESTION, displays=[display], program=script)
    got = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().split("\0") if line)
    assert got["WAYLAND_DISPLAY"] == "wayland-0"
    assert got["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=/x"
    assert not {"SECRET", "DISPLAY", "SSH_AUTH_SOCK"} & got.keys()


async def test_it_is_asked_for_plain_text_and_for_declining_by_default(program, tmp_path):
    script = program(f'for word; do printf "%s\\0" "$word"; done > {tmp_path}/words; exit 1')
    hostile = attrs.evolve(WITH_SESSION, fields=(("Key", "--help\n<b>"),))
    await shown(hostile, displays=DISPLAYS, program=script, within=7)
    words = (tmp_path / "words").read_text().split("\0")
    assert {"--question", "--no-markup", "--default-cancel", "--timeout=7", f"--extra-button={LABEL}"} <= set(words)
    [text] = [word for word in words if word.startswith("--text=")]
    assert text.endswith("\nKey:\u00a0--help\\n<b>")


async def test_a_dialog_that_hangs_is_ended(program, tmp_path, autojump_clock):
    script = program(f"echo $$ > {tmp_path}/pid; exec sleep 1000")
    assert await shown(QUESTION, displays=DISPLAYS, program=script) is Answer.TIMED_OUT
    pid = tmp_path / "pid"
    assert not pid.exists() or not await trio.Path("/proc", pid.read_text().strip()).exists()


async def test_descriptors_and_threads_do_not_pile_up(program):
    script = program("exit $ZENITY_OK")
    await shown(QUESTION, displays=DISPLAYS, program=script)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        await shown(QUESTION, displays=DISPLAYS, program=script)
        with trio.move_on_after(0.001):
            await shown(QUESTION, displays=DISPLAYS, program=script)
    assert len(os.listdir("/proc/self/fd")) <= before
    assert len(os.listdir("/proc/self/task")) < 12


async def test_it_inherits_no_descriptor_of_ours(program, tmp_path):
    script = program(f"ls -l /proc/$$/fd > {tmp_path}/descriptors; exit 1")
    await shown(QUESTION, displays=DISPLAYS, program=script)
    listed = (tmp_path / "descriptors").read_text()
    assert "anon_inode" not in listed  # trio's epoll, our pidfds
    assert "socket:" not in listed


async def test_sh_says_nothing_in_the_log(program, caplog):
    caplog.set_level(logging.DEBUG)
    await shown(QUESTION, displays=DISPLAYS, program=program("exit 10"))
    assert "github" not in json.dumps([record.getMessage() for record in caplog.records])


async def test_an_approval_that_comes_too_soon_is_not_taken_and_the_question_is_shown_again(program, tmp_path):
    """The first two answers come at once, as a key that was meant for another window does; the third after a while."""
    count = tmp_path / "count"
    script = program(
        f'echo >> {count}; for word; do printf "%s\\n" "$word"; done >> {tmp_path}/words\n'
        f"[ $(wc -l < {count}) = 3 ] && sleep 0.5; exit $ZENITY_OK"
    )
    answer = await zenity.show(QUESTION, displays=DISPLAYS, program=script, min_reading_time=0.4)
    assert answer is Answer.APPROVED_ONCE
    assert count.read_text() == "\n" * 3
    assert (tmp_path / "words").read_text().count("is\N{NO-BREAK SPACE}not\N{NO-BREAK SPACE}taken") == 2


async def test_a_refusal_is_taken_at_once(program):
    script = program("exit $ZENITY_CANCEL")
    assert await zenity.show(QUESTION, displays=DISPLAYS, program=script, min_reading_time=60) is Answer.DECLINED


async def test_what_is_shown_again_ends_with_the_first_deadline(program):
    script = program("exit $ZENITY_OK")
    with trio.fail_after(20):
        await zenity.show(QUESTION, displays=DISPLAYS, program=script, within=0.2, min_reading_time=60)


async def test_a_zenity_that_knows_no_icons_shows_the_warning_without_one(program):
    script = program(
        'for word; do case $word in --icon-name=*) echo "Unknown option --icon-name" >&2; exit 255;; esac; done\n'
        "exit $ZENITY_CANCEL"
    )
    warned = attrs.evolve(QUESTION, warning="Nothing proves this.")
    assert await shown(warned, displays=DISPLAYS, program=script) is Answer.DECLINED
