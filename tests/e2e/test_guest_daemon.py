"""The guest daemon in real boxes: its links are there for the first command, and follow the settings."""

import pytest
from support.user import kill, podman, wait_until

BIN = "/run/litterbox/bin"
FIND = """
for pid in /proc/[0-9]*; do
    tr "\\0" " " <$pid/cmdline | grep -q "[l]itterbox daemon" && echo ${pid#/proc/}
done
"""


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


def run(user, *words, status=0):
    return user.litterbox("enter", "work", "--", *words, status=status).stdout


def links(user):
    return set(run(user, "ls", BIN).split())


def guest_daemons():
    """The PIDs in the box, seen by its root."""
    return podman("exec", "--user=0", "lbx-work", "sh", "-c", FIND, check=False).stdout.split()


def test_the_first_command_finds_the_links(user, box):
    for shell in ("-c", "-lc"):
        assert run(user, "sh", shell, "command -v notify-send") == f"{BIN}/notify-send\n"
        user.wait_until_over("work")


def test_links_follow_the_settings_while_the_box_runs(user, box):
    with user.session("work"):
        assert "notify-send" in links(user)
        [before] = guest_daemons()
        user.litterbox("settings", "work", "set", "notify", "false")
        wait_until(lambda: "notify-send" not in links(user), what="the link to go")
        assert before not in guest_daemons()
        user.litterbox("settings", "work", "set", "notify", "true")
        wait_until(lambda: "notify-send" in links(user), what="the link to come back")
        assert len(guest_daemons()) == 1


def test_it_is_one_is_the_users_and_comes_back_with_the_next_entry(user, box):
    with user.session("work"):
        [first] = guest_daemons()
        status = podman("exec", "--user=0", "lbx-work", "cat", f"/proc/{first}/status").stdout
        assert "CapEff:\t0000000000000000" in status
        assert "0" not in status.partition("Uid:")[2].split()[:4]
        podman("exec", "--user=0", "lbx-work", "kill", "-9", first)
        wait_until(lambda: not guest_daemons(), what="its end")
        run(user, "true")
        wait_until(lambda: len(guest_daemons()) == 1, what="the next one")


def test_a_new_host_daemon_starts_it_anew(user, box):
    with user.session("work"):
        [first] = guest_daemons()
        kill(user.daemon("work"))
        wait_until(lambda: not guest_daemons(), what="its end")
        with user.start("daemon", "work", "--foreground"):
            wait_until(lambda: len(guest_daemons()) == 1, what="the next one")
            assert guest_daemons() != [first]
            user.litterbox("stop", "work")


def test_only_root_of_the_box_can_be_it(user, box):
    done = user.litterbox("enter", "work", "--", "/litterbox", "daemon", "--replace", status=1)
    assert done.stderr == "litterbox: only root of the box can be its guest daemon\n"
    user.litterbox("enter", "work", "--", "/litterbox", "daemon", "--nonsense", status=2)


def test_a_box_from_scratch_has_it_too(user):
    user.define_and_build("work", 'FROM scratch\nCMD ["/litterbox"]\n')
    done = user.litterbox("enter", "work", "--", "notify-send", "--version")
    assert done.stdout.startswith("notify-send of Litterbox")
