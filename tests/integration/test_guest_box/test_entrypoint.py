"""`/litterbox entrypoint` in a real box: what a command finds when it starts."""

import os
import signal
import subprocess

import pexpect
import pytest
from support import guest_box
from support.storms import repeated


def test_the_command_is_the_user_for_good(box):
    told = box.output(
        "--", "sh", "-c", "id -u; id -G; grep -E '^(Uid|Gid|CapPrm|CapEff|CapAmb|SigIgn|SigBlk)' /proc/self/status"
    )

    uid, gid = str(os.getuid()), str(os.getgid())
    lines = told.splitlines()
    assert lines[0] == uid
    assert gid in lines[1].split()
    status = dict(line.split(":\t") for line in lines[2:])
    assert set(status["Uid"].split()) == {uid}
    assert set(status["Gid"].split()) == {gid}
    nothing = "0" * 16
    assert [status[key] for key in ("CapPrm", "CapEff", "CapAmb", "SigIgn", "SigBlk")] == [nothing] * 5


def test_root_stays_root_on_request(box):
    assert box.output("--root", "--", "sh", "-c", "id -u; echo $HOME; pwd").split() == ["0", "/root", "/root"]


def test_the_environment_is_the_users(box):
    told = dict(line.partition("=")[::2] for line in box.output("--", "env").splitlines())

    assert told["HOME"] == "/home/user"
    assert told["USER"] == told["LOGNAME"]
    assert told["SHELL"].startswith("/")
    assert told["PATH"].split(":")[0] == "/run/litterbox/bin"
    assert told["SSH_AUTH_SOCK"] == "/tmp/ssh-agent.sock"
    assert told["XDG_RUNTIME_DIR"] == f"/run/user/{os.getuid()}"
    assert "LC_CTYPE" not in told


def test_a_locale_that_was_given_arrives_as_it_was(box):
    done = box.enter("--", "env", options=("--env=LC_CTYPE=POSIX", "--env=LANG=ja_JP.eucJP"))

    assert {"LC_CTYPE=POSIX", "LANG=ja_JP.eucJP"} <= set(done.stdout.splitlines())


def test_arguments_arrive_as_they_were(box):
    words = ["é ü", "", "a\nb", "$HOME *", "-x"]

    assert box.output("--", "printf", r"%s\0", *words) == "\0".join(words) + "\0"


def test_only_the_standard_descriptors_are_open(box):
    assert box.output("--", "sh", "-c", "ls /proc/$$/fd").split() == ["0", "1", "2"]


def test_a_pipe_that_closes_early_is_no_error(box):
    assert box.output("--", "sh", "-c", "yes | head -1") == "y\n"


def test_new_files_are_the_users_to_change_alone(box):
    assert box.output("--", "sh", "-c", "umask").strip() == "0022"


def test_the_home_is_where_it_starts(box):
    assert box.output("--", "pwd") == "/home/user\n"


def test_it_starts_in_another_folder_on_request(box):
    assert box.output("--workdir", "/usr", "--", "pwd") == "/usr\n"


def test_a_folder_that_is_not_there_is_said_with_125(box):
    done = box.enter("--workdir", "/nope", "--", "pwd")

    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == "litterbox: --workdir /nope: No such file or directory\n"


@pytest.mark.parametrize(
    ("command", "status", "sentence"),
    [
        ("nosuch", 127, "nosuch: command not found"),
        ("/no/such", 127, "/no/such: No such file or directory"),
        ("", 127, ": command not found"),
        ("/etc/passwd", 126, "/etc/passwd: Permission denied"),
        ("/etc", 126, "/etc: Is a directory"),
    ],
)
def test_what_cannot_be_run_is_said_as_shells_say_it(box, command, status, sentence):
    done = box.enter("--", command)

    assert (done.returncode, done.stderr) == (status, f"litterbox: {sentence}\n")


def test_the_commands_status_is_the_entrys(box):
    assert box.enter("--", "sh", "-c", "exit 42").returncode == 42
    assert box.enter("--", "sh", "-c", "kill -9 $$").returncode == 128 + signal.SIGKILL


def test_input_reaches_the_command(box):
    assert box.enter("--", "cat", text="all of it").stdout == "all of it"


@pytest.fixture
def terminal(box):
    """A login shell on a terminal."""
    command = box.entry(options=("-it", "--env=TERM=dumb"))
    shell = pexpect.spawn(command[0], command[1:], encoding="utf-8", echo=False, timeout=20)
    shell.expect(r"\$ ")
    yield shell
    shell.close(force=True)


def ask(shell, line):
    """Type a line and return what it printed."""
    shell.sendline(f"{line}; echo end-$?")
    shell.expect(r"end-(\d+)\r\n")
    assert shell.match[1] == "0", shell.before
    return shell.before.partition(f"{line}; echo end-$?\r\n")[2] or shell.before


def test_the_terminal_is_the_users(terminal):
    assert str(os.getuid()) in ask(terminal, 'stat -c %u "$(tty)"')
    ask(terminal, 'echo > "$(tty)" && yes | head -1')


def test_without_a_command_it_is_a_login_shell_with_job_control(terminal):
    assert ask(terminal, "echo $0").startswith("-")
    assert "m" in ask(terminal, "echo $-")


def test_control_c_reaches_the_program_and_not_the_shell(terminal):
    terminal.sendline("sh -c 'echo begun; exec sleep 1000'")
    terminal.expect(r"begun\r\n")
    terminal.sendintr()
    terminal.expect(r"\$ ")

    assert "130" in ask(terminal, "echo $?")


class TestFirstEntry:
    @pytest.fixture
    def image(self, tmp_path):
        lines = [
            f"FROM {guest_box.BASE}",
            "RUN mkdir -p /etc/skel/.config && echo 1 > /etc/skel/.config/one && ln -s one /etc/skel/.config/link",
            "COPY prep /prep-home.sh",
        ]
        script = "#!/bin/sh\nid -u; pwd; cat\necho again >> times\n[ ! -e fail ] || exit 3\n"
        return guest_box.build_image("prepared", "\n".join(lines), tmp_path, prep=script)

    def test_the_home_is_filled_and_prepared_once(self, image):
        with guest_box.running("g-first", image) as box:
            first = box.enter("--", "cat", text="mine")
            second = box.enter("--", "cat", text="mine too")

            assert (first.stdout, second.stdout) == ("mine", "mine too")
            assert first.stderr.split() == [str(os.getuid()), "/home/user"]
            assert second.stderr == ""
            assert (box.home / "times").read_text() == "again\n"
            assert (box.home / ".config/link").readlink().name == "one"
            assert (box.home / ".config/one").stat().st_uid == os.getuid()

    def test_entries_at_the_same_moment_prepare_it_once(self, image):
        with guest_box.running("g-crowd", image) as box:
            crowd = [subprocess.Popen(box.entry("--", "true"), stderr=subprocess.PIPE, text=True) for _ in range(10)]
            said = [entry.communicate()[1] for entry in crowd]

            assert [entry.returncode for entry in crowd] == [0] * 10, said
            assert (box.home / "times").read_text() == "again\n"

    def test_a_script_that_fails_is_one_line_and_runs_again(self, image):
        with guest_box.running("g-fails", image) as box:
            (box.home / "fail").touch()

            first = box.enter("--", "echo", "in")
            (box.home / "fail").unlink()
            second = box.enter("--", "echo", "in")
            third = box.enter("--", "echo", "in")

            assert {entry.stdout for entry in (first, second, third)} == {"in\n"}
            assert first.stderr.splitlines()[-1] == (
                "litterbox: /prep-home.sh ended with status 3; the next entry tries again"
            )
            assert "status" not in second.stderr
            assert third.stderr == ""
            assert (box.home / "times").read_text() == "again\n" * 2

    def test_links_that_the_user_planted_lead_root_nowhere(self, image):
        with guest_box.running("g-planted", image) as box:
            (box.home / ".local").symlink_to("/etc")

            done = box.enter("--", "echo", "in")

            assert done.stdout == "in\n"
            assert "the home could not be prepared: Permission denied" in done.stderr
            assert "state" not in box.as_root("ls", "/etc").split()


class TestAgentLink:
    LINK = "/tmp/ssh-agent.sock"

    def where(self, box):
        return box.as_root("stat", "-c", "%u %N", self.LINK).strip()

    @property
    def ours(self):
        return f"0 '{self.LINK}' -> '/run/user/{os.getuid()}/litterbox/ssh-agent.sock'"

    def test_it_is_roots_and_leads_to_the_mounted_folder(self, box):
        box.output("--", "true")

        assert self.where(box) == self.ours

    @pytest.mark.parametrize(
        "planted",
        ["ln -s /etc/passwd LINK", "mkdir -p LINK/deep", "echo > LINK", "mkfifo LINK", "ln -s AGENT LINK"],
    )
    def test_what_the_user_planted_is_replaced(self, box, planted):
        agent = f"/run/user/{os.getuid()}/litterbox/ssh-agent.sock"
        box.as_root("rm", "-rf", self.LINK)
        box.as_root(
            "setpriv",
            f"--reuid={os.getuid()}",
            "--clear-groups",
            "sh",
            "-c",
            planted.replace("LINK", self.LINK).replace("AGENT", agent),
        )

        assert box.output("--", "echo", "in") == "in\n"
        assert self.where(box) == self.ours
        assert "root:" in box.as_root("head", "-1", "/etc/passwd")

    def test_the_user_cannot_take_it_away(self, box):
        box.output("--", "true")

        assert box.enter("--", "rm", "-f", self.LINK).returncode == 1
        assert box.enter("--", "mv", self.LINK, "/tmp/away").returncode == 1


def test_many_entries_at_once_all_succeed(box):
    """Fifty, or twenty in the usual run."""
    many = repeated(50, usual=20)
    box.as_root("sh", "-c", "rm -rf /tmp/* /tmp/.l*")
    crowd = [
        subprocess.Popen(
            box.entry("--", "readlink", "/tmp/ssh-agent.sock"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(many)
    ]
    said = [entry.communicate() for entry in crowd]

    assert [entry.returncode for entry in crowd] == [0] * many, said
    assert {err for _, err in said} == {""}
    assert {out for out, _ in said} == {f"/run/user/{os.getuid()}/litterbox/ssh-agent.sock\n"}
    assert box.as_root("ls", "-A", "/tmp").split() == ["ssh-agent.sock"]


def test_from_scratch_has_what_a_command_needs(scratch_image):
    with guest_box.running("g-scratch", scratch_image) as box:
        script = "/busybox id -u; echo $HOME; /busybox stat -c %a /tmp; /busybox pwd"
        told = box.output("--", "/busybox", "sh", "-c", script)
        shell = box.enter()

        assert told.split() == [str(os.getuid()), "/home/user", "1777", "/home/user"]
        assert (shell.returncode, shell.stderr) == (127, "litterbox: the box has no shell; name a command to run\n")


def test_an_entry_whose_session_has_ended_does_not_begin(box):
    done = box.enter("--", "echo", "in", session=guest_box.session(99))

    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == "litterbox: this session has ended before it began\n"


def test_a_box_whose_disk_is_full_can_be_entered(scratch_image):
    full = ("--mount=type=tmpfs,dst=/run/litterbox,tmpfs-size=4096,tmpfs-mode=0755",)
    with guest_box.running("g-full", scratch_image, extra=full) as box:
        box.as_root("/busybox", "sh", "-c", "/busybox cat /dev/zero > /run/litterbox/fill; true")

        done = box.enter("--", "/busybox", "echo", "in", session=guest_box.session())

        assert done.stdout == "in\n"
        assert "No space left on device" in done.stderr
