"""What a person meets at a terminal: lists to choose from, questions, the password before a session."""

import os

import pexpect
import pytest
from support.user import BASE_IMAGE, LONG_ENOUGH, PASSWORD, wait_until


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


@pytest.fixture
def at_terminal(user):
    """Start a litterbox command on a terminal of its own, without a password command."""
    environment = {key: value for key, value in user.environment.items() if key != "LITTERBOX_PASSWORD_COMMAND"}

    def start(*words):
        return pexpect.spawn("litterbox", list(words), env=environment, timeout=LONG_ENOUGH, encoding="utf-8")

    return start


def end_of(terminal):
    terminal.expect(pexpect.EOF)
    terminal.close()
    return terminal.exitstatus


def test_template_and_image_are_chosen_from_a_list(user, at_terminal):
    terminal = at_terminal("define", "work")
    terminal.expect(r"7 +local")
    terminal.expect("Which template")
    terminal.sendline("nonsense")
    terminal.expect("Which template")
    terminal.sendline("7")
    terminal.expect(rf"\d+ +{BASE_IMAGE}")
    terminal.expect("Which image")
    terminal.sendline(BASE_IMAGE)
    terminal.expect("Defined work")
    assert end_of(terminal) == 0
    with open(f"{user.root}/definitions/work/Dockerfile") as file:
        assert f"FROM {BASE_IMAGE}\n" in file.read()


def test_ctrl_c_at_a_question_changes_nothing(user, at_terminal):
    terminal = at_terminal("define", "work")
    terminal.expect("Which template")
    terminal.sendcontrol("c")
    assert end_of(terminal) == 130
    assert not os.path.exists(user.root)


def test_delete_asks_and_no_means_no(user, box, at_terminal):
    terminal = at_terminal("delete", "work")
    terminal.expect(r"Delete the container, image of work\?")
    terminal.sendline("n")
    assert end_of(terminal) != 0
    assert user.container_state("work") in ("created", "exited")


def test_the_password_is_asked_for_without_echo_before_the_session(user, box, at_terminal):
    user.litterbox("keys", "generate", "laptop")
    user.litterbox("keys", "attach", "laptop", "work")
    terminal = at_terminal("enter", "work", "--", "sh", "-c", "echo inside; cat")
    terminal.expect("password: ")
    assert user.sessions_in_lock("work") == []  # no lock and no line while it waits for a person
    terminal.sendline("wrong")
    terminal.expect("That is not it.*password: ")
    terminal.sendline(PASSWORD)
    terminal.expect("inside")
    assert PASSWORD not in terminal.before
    second = at_terminal("enter", "work", "true")  # the daemon has the key by now
    assert end_of(second) == 0
    terminal.sendcontrol("d")
    assert end_of(terminal) == 0


def test_three_wrong_passwords_are_an_error_and_ctrl_c_is_none(user, box, at_terminal):
    user.litterbox("keys", "generate", "laptop")
    user.litterbox("keys", "attach", "laptop", "work")
    terminal = at_terminal("enter", "work", "true")
    for _ in range(3):
        terminal.expect("password: ")
        terminal.sendline("wrong")
    terminal.expect("password")
    assert end_of(terminal) == 125
    terminal = at_terminal("enter", "work", "true")
    terminal.expect("password: ")
    terminal.sendcontrol("c")
    assert end_of(terminal) == 130
    assert user.sessions_in_lock("work") == []
    assert user.daemon("work") is None


def test_logs_are_followed_until_ctrl_c(user, box, at_terminal):
    user.litterbox("enter", "work", "true")
    user.wait_until_over("work")
    terminal = at_terminal("logs", "work", "--follow")
    terminal.expect("the daemon has ended")
    user.litterbox("enter", "work", "true")
    terminal.expect("serves the box work")
    terminal.sendcontrol("c")
    terminal.expect(pexpect.EOF)


def test_a_build_without_changes_keeps_the_container(user, box):
    user.litterbox("enter", "work", "--root", "--", "touch", "/installed")
    user.wait_until_over("work")
    user.litterbox("build", "work")
    user.litterbox("enter", "work", "test", "-e", "/installed")
    user.wait_until_over("work")
    user.litterbox("build", "work", "--rebuild")
    user.litterbox("enter", "work", "test", "-e", "/installed", status=1)


def test_an_entry_that_is_interrupted_while_the_box_starts_leaves_no_line(user, box, at_terminal):
    terminal = at_terminal("enter", "work", "--", "sleep", "1000")
    wait_until(lambda: user.sessions_in_lock("work"), what="the line")
    terminal.sendcontrol("c")
    assert end_of(terminal) != 0
    user.wait_until_over("work")


def test_the_terminal_is_as_the_options_say(user, box, at_terminal):
    question = ("--", "sh", "-c", "if [ -t 0 ]; then echo a terminal; else echo none; fi")
    for options, answer in (([], "a terminal"), (["-i"], "none"), (["-t"], "a terminal"), (["-i", "-t"], "a terminal")):
        terminal = at_terminal("enter", "work", *options, *question)
        terminal.expect(answer)
        assert end_of(terminal) == 0
    assert user.litterbox("enter", "work", *question).stdout == "none\n"
    assert "a terminal" in user.litterbox("enter", "work", "-t", *question).stdout
