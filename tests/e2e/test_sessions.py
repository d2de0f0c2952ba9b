"""Many terminals share a box; the last one out stops it, however it goes; a killed daemon is replaced."""

import json
import os
import re
import signal
import subprocess

import pexpect
import pytest
from support.storms import repeated
from support.user import LONG_ENOUGH, alive, kill, podman, wait_until


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


def processes_in(name):
    return podman("top", f"lbx-{name}", "args", check=False).stdout


def leftovers(user):
    """Host processes and mounts that have to do with this user's boxes."""
    found = subprocess.run(
        ["pgrep", "--full", "--list-full", "conmon|litterbox|podman (exec|wait|start)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    processes = [line for line in found.splitlines() if "pytest" not in line and "tools/" not in line]
    with open("/proc/self/mountinfo") as file:
        mounts = [line for line in file if user.root in line or "/litterbox/" in line]
    in_namespace = podman("unshare", "cat", "/proc/self/mountinfo").stdout
    mounts += [line for line in in_namespace.splitlines() if user.root in line or "/merged" in line]
    return processes + mounts


def test_a_killed_session_ends_alone_and_the_last_one_out_stops_the_box(user, box):
    with user.session(box) as first:
        started = podman("inspect", "--format", "{{.State.StartedAt}}", f"lbx-{box}").stdout
        with user.session(box) as second:
            assert sorted(user.sessions_in_lock(box)) == sorted([first.pid, second.pid])
            assert processes_in(box).count("cat") == 2
            os.kill(second.pid, signal.SIGKILL)
            wait_until(lambda: user.sessions_in_lock(box) == [first.pid], what="the killed session's line gone")
            wait_until(lambda: processes_in(box).count("cat") == 1, what="the killed session's process", within=10)
        assert podman("inspect", "--format", "{{.State.StartedAt}}", f"lbx-{box}").stdout == started
        assert user.container_state(box) == "running"
    user.wait_until_over(box)
    assert user.sessions_in_lock(box) == []
    assert not os.listdir(f"{user.environment['XDG_RUNTIME_DIR']}/litterbox/{box}")
    wait_until(lambda: leftovers(user) == [], what="nothing left behind", within=10)


def test_a_killed_session_that_ignores_the_hangup_is_ended_too(user, box):
    stubborn = "trap '' HUP TERM; echo in; while :; do sleep 1; done"
    with user.session(box), user.start("enter", box, "--", "bash", "-c", stubborn) as session:
        assert session.stdout.readline() == "in\n"
        session.kill()
        wait_until(lambda: "trap" not in processes_in(box), what="the stubborn shell gone", within=10)


def test_the_session_becomes_podman_exec(user, box):
    with user.session(box) as session, open(f"/proc/{session.pid}/cmdline") as file:
        assert file.read().startswith("podman\0exec\0--detach-keys=\0")


@pytest.mark.parametrize("status", [0, 1, 7, 125, 126, 127, 255])
def test_the_exit_status_is_the_commands(user, box, status):
    assert user.litterbox("enter", box, "--", "sh", "-c", f"exit {status}", status=None).returncode == status


def test_a_command_killed_by_a_signal_is_128_and_its_number(user, box):
    assert user.litterbox("enter", box, "--", "sh", "-c", "kill -9 $$", status=None).returncode == 137


def test_126_and_127_are_as_shells_mean_them(user, box):
    done = user.litterbox("enter", box, "--", "no-such-command", status=127)
    assert "no-such-command" in done.stderr
    done = user.litterbox("enter", box, "--", "/etc/passwd", status=126)
    assert "/etc/passwd" in done.stderr


def test_standard_input_and_output_are_the_commands(user, box):
    text = "".join(f"line {number}\n" for number in range(10_000))
    assert user.litterbox("enter", box, "--", "cat", stdin=text).stdout == text


def test_who_one_is_in_the_box(user, box):
    done = user.litterbox("enter", box, "--", "sh", "-c", "id -u; id -un; pwd; echo $HOME; hostname")
    assert done.stdout.split() == [str(os.getuid()), os.environ["USER"], "/home/user", "/home/user", "lbx-work"]
    assert user.litterbox("enter", box, "--root", "id", "-u").stdout == "0\n"
    assert user.litterbox("enter", box, "--workdir", "/usr", "pwd").stdout == "/usr\n"


def test_the_home_is_kept_and_is_the_hosts_folder(user, box):
    user.litterbox("enter", box, "--", "sh", "-c", "echo kept > ~/note")
    with open(f"{user.root}/homes/{box}/note") as file:
        assert file.read() == "kept\n"
    user.litterbox("build", box, "--rebuild")
    assert user.litterbox("enter", box, "cat", "note").stdout == "kept\n"


def test_prep_home_runs_once_as_the_user(user):
    user.litterbox("define", "work", "--template", "local", "--image", "localhost/litterbox-test-base")
    with open(f"{user.root}/definitions/work/Dockerfile", "a") as file:
        file.write("RUN printf '#!/bin/sh\\nid -u >>~/prepared\\n' >/prep-home.sh && chmod +x /prep-home.sh\n")
    user.litterbox("build", "work")
    for _ in range(2):
        user.litterbox("enter", "work", "true")
    with open(f"{user.root}/homes/work/prepared") as file:
        assert file.read() == f"{os.getuid()}\n"


def test_a_terminal_has_job_control_its_size_and_ctrl_c(user, box):
    shell = pexpect.spawn(
        "litterbox", ["enter", box, "--", "bash", "--norc"], env=user.environment, timeout=LONG_ENOUGH, encoding="utf-8"
    )
    shell.setwinsize(33, 101)
    shell.sendline("PS1='ready> '; stty size")
    shell.expect(r"33 101\r\n")
    shell.expect("ready> ")
    shell.setwinsize(20, 80)
    shell.sendline("sleep 0.3; stty size")
    shell.expect(r"20 80\r\n")
    shell.sendline("sh -c 'echo begun; exec sleep 1000'")
    shell.expect(r"begun\r\n")
    shell.sendcontrol("c")
    shell.sendline("echo status $?")
    shell.expect(r"status 130\r\n")
    shell.sendline("sleep 1000 &")
    shell.sendline("jobs; echo '!'")
    shell.expect(r"\[1\]\+\s+Running\s+sleep 1000")
    shell.sendline("sh -c 'echo begun; exec cat'")
    shell.expect(r"begun\r\n")
    shell.sendcontrol("z")
    shell.expect("Stopped")
    shell.sendline("sh -c 'stty -ixon; echo begun; head -n 1 | cat -v; stty ixon'")
    shell.expect(r"begun\r\n")
    shell.sendcontrol("p")
    shell.sendcontrol("q")  # with Podman's own keys for detaching, the session would end here
    shell.sendline("")
    shell.expect(r"\^P\^Q\r\n")
    shell.sendline("kill %1 %2; yes | head -1; echo > $(tty); echo done")
    shell.expect(r"y\r\n")
    shell.expect(r"done\r\n")
    assert "error" not in shell.before.lower()
    assert "denied" not in shell.before.lower()
    shell.sendline("exit 3")
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 3
    user.wait_until_over(box)


def test_a_killed_daemon_is_replaced_and_the_old_session_lives(user, box):
    with user.session(box) as session:
        old = user.daemon(box)
        kill(old)
        assert alive(session.pid)
        assert user.container_state(box) == "running"
        user.litterbox("enter", box, "true")
        assert user.daemon(box) not in (None, old)
        assert user.sessions_in_lock(box) == [session.pid]
    user.wait_until_over(box)


def test_a_box_whose_daemon_never_came_back_ends_by_itself(user, box):
    with user.session(box) as session:
        kill(user.daemon(box))
        session.stdin.close()
        session.wait(LONG_ENOUGH)
        wait_until(lambda: user.container_state(box) == "exited", what="the box leaving by itself", within=60)
    assert user.litterbox("enter", box, "echo", "again").stdout == "again\n"
    user.wait_until_over(box)


def test_stop_ends_everything_and_twice_is_no_error(user, box):
    with user.session(box) as session:
        user.litterbox("stop", box)
        assert user.is_over(box)
        session.wait(LONG_ENOUGH)
    assert "does not run" in user.litterbox("stop", box).stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_daemon_stops_the_box(user, box, number):
    with user.session(box):
        os.kill(user.daemon(box), number)
        user.wait_until_over(box)


def test_stop_works_where_a_killed_daemon_left_the_box(user, box):
    with user.session(box):
        kill(user.daemon(box))
        user.litterbox("stop", box)
        assert user.is_over(box)


def test_there_is_one_daemon(user, box):
    with user.session(box):
        done = user.litterbox("daemon", box, "--foreground", status=1)
        assert f"runs already, as process {user.daemon(box)}" in done.stderr


def test_a_daemon_in_the_foreground_takes_the_only_box(user, box):
    with user.start("daemon", "--foreground") as daemon:
        wait_until(lambda: user.daemon(box) == daemon.pid, what="the daemon serving")
        assert user.litterbox("enter", box, "echo", "in").stdout == "in\n"
        assert daemon.wait(LONG_ENOUGH) == 0
    user.litterbox("define", "play", "--template", "debian")
    done = user.litterbox("daemon", "--foreground", status=2)
    assert "play, work" in done.stderr


def test_what_the_daemon_says_of_itself(user, box):
    with user.session(box) as session:
        row = user.status(box)
        assert (row["running"], row["sessions"]) == (True, [session.pid])
        assert str(session.pid) in user.litterbox("status", box).stdout
        [listed] = json.loads(user.litterbox("list", "--json").stdout)
        assert (listed["name"], listed["state"], listed["sessions"]) == (box, "running", 1)
        assert re.search(r"work +running +1", user.litterbox("list").stdout)
        assert f"process {row['daemon']} serves" in user.litterbox("logs", box).stdout
    user.wait_until_over(box)
    assert re.search(r"work +stopped +0", user.litterbox("list").stdout)


def test_a_changed_setting_is_told_at_enter_and_applies_after_build(user, box):
    with open(f"{user.root}/definitions/{box}.toml", "a") as file:
        file.write("\n")
    assert user.litterbox("enter", box, "true").stderr == ""
    settings = f"{user.root}/definitions/{box}.toml"
    with open(settings) as file:
        text = file.read()
    with open(settings, "w") as file:
        file.write(text.replace('network = "pasta"', 'network = "none"'))
    done = user.litterbox("enter", box, "true")
    assert "--network=none is new" in done.stderr
    assert "litterbox build work" in done.stderr
    user.wait_until_over(box)
    user.litterbox("build", box)
    assert user.litterbox("enter", box, "ls", "/sys/class/net").stdout.split() == ["lo"]


def start_fifty(user, box):
    children = [
        subprocess.Popen(
            ["litterbox", "enter", box, "--", "true"],
            env=user.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(50)
    ]
    ends = [(child.communicate(timeout=300)[1], child.returncode) for child in children]
    assert [end for end in ends if end[1] != 0] == []


def test_fifty_entries_at_once_into_a_running_box(user, box):
    with user.session(box):
        daemon = user.daemon(box)
        started = podman("inspect", "--format", "{{.State.StartedAt}}", f"lbx-{box}").stdout
        for _ in range(repeated(10, usual=2)):
            start_fifty(user, box)
        assert user.daemon(box) == daemon
        assert podman("inspect", "--format", "{{.State.StartedAt}}", f"lbx-{box}").stdout == started
    user.wait_until_over(box)


def test_fifty_entries_at_once_into_a_stopped_box(user, box):
    for _ in range(repeated(10, usual=2)):
        start_fifty(user, box)
        user.wait_until_over(box)
        assert user.sessions_in_lock(box) == []
    log = user.litterbox("logs", box).stdout
    assert_never_two(log)


def assert_never_two(log):
    """The daemon's log tells starts and ends: each end before the next start."""
    words = re.findall(r"(serves the box|the daemon has ended)", log)
    assert words[::2] == ["serves the box"] * (len(words) // 2)
    assert words[1::2] == ["the daemon has ended"] * (len(words) // 2)
