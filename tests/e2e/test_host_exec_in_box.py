"""host-exec from real boxes: what runs on the host, where, who is asked, and that nothing of it stays."""

import hashlib
import json
import os
import signal
import subprocess
import threading

import pexpect
import pytest
from support.processes import eventually, is_running, with_words
from support.storms import repeated
from support.user import BASE_IMAGE, LONG_ENOUGH, podman, wait_until

MIB = 1024 * 1024
SLEEP = ("sleep", "31415")
ON_THE_HOST = ("/bin/sleep", "31415")


@pytest.fixture
def user(user_of_kept_box):
    return user_of_kept_box


@pytest.fixture
def box(user):
    return "work"


@pytest.fixture
def home(user):
    return os.path.join(user.root, "homes", "work")


def allow(user, *words, ask="true"):
    """Let the box run a command of the host."""
    user.litterbox("settings", "work", "host-exec", "add", *words)
    user.litterbox("settings", "work", "set", "host_exec", ask)


def run(user, *words, status=0, **options):
    return user.litterbox("enter", "work", "--", *words, status=status, **options)


def in_folder(user, folder, *words, status=0):
    return user.litterbox("enter", "work", "--workdir", folder, "--", *words, status=status)


def audit(user):
    lines = [json.loads(line) for line in user.litterbox("audit", "work", "--json").stdout.splitlines()]
    return [line for line in lines if line["what"] == "host_exec"]


def test_streams_status_and_signals_are_the_hosts(user, box):
    allow(user, "sh", "/bin/sh")
    done = run(user, "host-exec", "sh", "-c", "cat; echo err >&2; hostname; exit 7", status=7, stdin="in\n")
    assert (done.stdout, done.stderr) == (f"in\n{os.uname().nodename}\n", "err\n")
    run(user, "host-exec", "sh", "-c", "kill -9 $$", status=137)
    assert run(user, "sh", "-c", "yes | host-exec sh -c 'head -1'").stdout == "y\n"
    assert run(user, "sh", "-c", "host-exec sh -c yes | head -1").stdout == "y\n"
    ends = [line["detail"]["status"] for line in audit(user) if line["decision"] == "ended"]
    assert ends == [7, 137, 0, "cut off"]


def test_a_large_file_keeps_its_checksum_and_needs_no_memory(user, box, home):
    """A gigabyte, or a quarter of one in the usual run, which is eight times what it may need."""
    allow(user, "sha256sum", "/usr/bin/sha256sum")
    allow(user, "cat", "/bin/cat")
    piece = os.urandom(MIB)
    expected = hashlib.sha256()
    with open(f"{home}/big", "wb") as file:
        for _ in range(repeated(1024, usual=256)):
            file.write(piece)
            expected.update(piece)
    with user.session("work"):
        run(user, "host-exec", "cat", "/dev/null")
        daemon = user.daemon("work")
        idle_daemon = anonymous_memory(daemon)
        idle_guest = memory_of_an_idle_guest(user)
        with Watcher(daemon) as watcher:
            done = run(user, "sh", "-c", "host-exec sha256sum < big")
            assert done.stdout.split()[0] == expected.hexdigest()
            run(user, "sh", "-c", f"host-exec cat {home}/big > out")
        assert watcher.of_daemon - idle_daemon < 32 * 1024
        assert watcher.of_guest - idle_guest < 32 * 1024
    found = hashlib.sha256()
    with open(f"{home}/out", "rb") as file:
        while data := file.read(MIB):
            found.update(data)
    assert found.hexdigest() == expected.hexdigest()


def anonymous_memory(pid):
    """RssAnon in KiB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


def guests():
    """The PIDs of the host-exec in boxes, as the host sees them."""
    found = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                if b"/host-exec\0" in file.read():
                    found.append(int(name))
        except OSError:
            continue
    return found


def memory_of_an_idle_guest(user):
    allow(user, "sleep", "/bin/sleep")
    with user.start("enter", "work", "--", "host-exec", *SLEEP) as waiting:
        eventually(lambda: with_words(*ON_THE_HOST))
        [guest] = guests()
        taken = anonymous_memory(guest)
        waiting.kill()
    eventually(lambda: not with_words(*ON_THE_HOST))
    return taken


class Watcher:
    """The most memory that the daemon, and any host-exec, had while the block ran."""

    def __init__(self, daemon):
        self._daemon = daemon
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.of_daemon = self.of_guest = 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.wait(0.02):
            self.of_daemon = max(self.of_daemon, anonymous_memory(self._daemon))
            for guest in guests():
                try:
                    self.of_guest = max(self.of_guest, anonymous_memory(guest))
                except (OSError, StopIteration):
                    continue


@pytest.mark.parametrize("end", ["ctrl-c", "kill", "stop"])
def test_the_end_of_the_caller_leaves_no_child_on_the_host(user, box, end):
    allow(user, "sleep", "/bin/sleep")
    terminal = pexpect.spawn("litterbox", ["enter", "work", "--", "host-exec", *SLEEP], env=user.environment)
    eventually(lambda: with_words(*ON_THE_HOST))
    [child] = with_words(*ON_THE_HOST)
    match end:
        case "ctrl-c":
            eventually(guests)
            terminal.send("\x03")
        case "kill":
            [guest] = guests()
            os.kill(guest, signal.SIGKILL)
        case "stop":
            user.litterbox("stop", "work")
    eventually(lambda: not is_running(child))
    terminal.expect(pexpect.EOF)
    terminal.close()
    user.wait_until_over("work")
    assert not with_words(*ON_THE_HOST)


def test_a_daemon_that_is_killed_takes_its_children_along(user, box):
    allow(user, "sleep", "/bin/sleep")
    with user.start("enter", "work", "--", "host-exec", *SLEEP) as session:
        eventually(lambda: with_words(*ON_THE_HOST))
        os.kill(user.daemon("work"), signal.SIGKILL)
        eventually(lambda: not with_words(*ON_THE_HOST))
        assert session.wait(LONG_ENOUGH) == 125


def test_a_full_screen_program_works_in_tmux(user, box, tmp_path):
    (tmp_path / "text").write_text("".join(f"line {number} of the text\n" for number in range(1, 201)))
    allow(user, "less", "/usr/bin/less")
    environment = user.environment | {"LANG": "C.UTF-8", "PS1": "$ "}
    socket = str(tmp_path / "tmux")

    def tmux(*words):
        command = ["tmux", "-f", "/dev/null", "-S", socket, *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    tmux("new-session", "-d", "-x", "80", "-y", "24", "litterbox", "enter", "work", "--", "sh")
    try:
        wait_until(lambda: tmux("capture-pane", "-p").strip(), what="the prompt")
        tmux("send-keys", f"host-exec less {tmp_path}/text", "Enter")
        wait_until(lambda: "line 23 of the text" in tmux("capture-pane", "-p"), what="the first page")
        tmux("send-keys", "G")
        wait_until(lambda: "line 200 of the text" in tmux("capture-pane", "-p"), what="the last page")
        tmux("resize-window", "-x", "80", "-y", "40")
        # A key that less reads before it has seen the new size is answered with the old one.
        wait_until(
            lambda: tmux("send-keys", "g") or "line 39 of the text" in tmux("capture-pane", "-p"),
            what="the larger page",
        )
        tmux("send-keys", "q")
        # What is typed before the shell reads again would be less's.
        wait_until(lambda: tmux("capture-pane", "-p").rstrip().endswith("$"), what="the prompt after it")
        tmux("send-keys", "stty -a | grep -o ' icanon'; echo status=$?.", "Enter")
        wait_until(lambda: "status=0." in tmux("capture-pane", "-p"), what="the shell's terminal")
    finally:
        tmux("kill-server")


ODD = ["a", "a/b/c/d/e", "with space/and 'quote'", "-rf", "é", "...", "new\nline", "x" * 255]


def test_the_folder_is_empty_or_the_callers(user, box, home):
    allow(user, "pwd", "/bin/pwd")
    allow(user, "here", "/bin/pwd", "--folder", "box", "--yes")
    empty = run(user, "host-exec", "pwd").stdout.removesuffix("\n")
    assert os.listdir(empty) == []
    assert not os.path.realpath(empty).startswith(os.path.realpath(home))
    with user.session("work"):
        for odd in ODD:
            os.makedirs(f"{home}/{odd}")
            shown = in_folder(user, f"/home/user/{odd}", "host-exec", "here").stdout
            assert shown == f"{os.path.realpath(home)}/{odd}\n"
            assert in_folder(user, f"/home/user/{odd}", "host-exec", "pwd").stdout == f"{empty}\n"
        run(user, "ln", "-s", "/", "link")
        for outside in ("/tmp", "/", "/home/user/link"):
            refused = in_folder(user, outside, "host-exec", "here", status=126).stderr
            assert "it runs in the folder that it is called from, and this must be in /home/user" in refused
    assert audit(user)[-1]["decision"] == "refused"


def test_a_folder_that_became_a_link_is_refused(user, box, home):
    """The caller stands in a folder whose path leads elsewhere by now: the host goes by no link."""
    allow(user, "here", "/bin/pwd", "--folder", "box", "--yes")
    script = """
        mkdir -p a/b && cd a/b
        mv ~/a ~/moved && mkdir ~/elsewhere && mkdir ~/elsewhere/b && ln -s elsewhere ~/a
        exec /litterbox host-exec here
    """
    os.makedirs(home, exist_ok=True)
    shown = run(user, "sh", "-c", script).stdout  # getcwd(2) has followed the move
    assert shown == f"{os.path.realpath(home)}/moved/b\n"


FSMONITOR = """
    git init -q . && git config core.fsmonitor 'touch /tmp/litterbox-planted-ran; false'
    host-exec git status
"""


def test_what_a_box_plants_runs_only_where_its_folder_was_given(user, box, home):
    ran = "/tmp/litterbox-planted-ran"
    allow(user, "git", "/usr/bin/git")
    done = run(user, "sh", "-c", f"mkdir repo; cd repo; {FSMONITOR}", status=128)
    assert "not a git repository" in done.stderr
    assert not os.path.exists(ran)

    warned = user.litterbox("settings", "work", "host-exec", "add", "git", "/usr/bin/git", "--folder", "box", status=2)
    sentence = "gives the box your account, whatever the patterns."
    assert sentence in warned.stderr
    terminal = pexpect.spawn(
        "litterbox",
        ["settings", "work", "host-exec", "add", "git", "/usr/bin/git", "--folder", "box"],
        env=user.environment,
        encoding="utf-8",
        dimensions=(24, 300),
    )
    terminal.expect_exact(sentence)
    terminal.expect_exact("Do you want that?")
    terminal.sendline("n")
    terminal.expect(pexpect.EOF)
    assert "not a git repository" in run(user, "sh", "-c", "cd repo; host-exec git status", status=128).stderr
    assert not os.path.exists(ran)

    allow(user, "git", "/usr/bin/git", "--folder", "box", "--yes")
    run(user, "sh", "-c", "cd repo; host-exec git status")
    assert os.path.exists(ran)  # which is why it warns
    os.unlink(ran)


def test_a_window_asks_in_words_that_show_all_of_it(user, box, person):
    allow(user, "echo", "/bin/echo", ask="confirm")
    for answer, status, out in (
        (person.decline, 126, ""),
        (person.approve, 0, "a b\n"),
        (person.approve_for_session, 0, "a b\n"),
    ):
        with user.start("enter", "work", "--", "host-exec", "echo", "a b") as asking:
            shown = " ".join(answer("work").split())
            assert shown.endswith("""outside of the box? Command: "/bin/echo 'a b'" Folder: an empty one""")
            assert asking.communicate(timeout=LONG_ENOUGH)[0] == out
        assert asking.returncode == status
        with user.session("work"):
            pass  # each box's approvals end with it


def test_an_approval_for_this_session_covers_just_this(user, box, person):
    allow(user, "echo", "/bin/echo", ask="confirm")
    with user.session("work"):
        with user.start("enter", "work", "--", "host-exec", "echo", "one") as asking:
            person.approve_for_session("work")
            assert asking.communicate(timeout=LONG_ENOUGH)[0] == "one\n"
        assert run(user, "host-exec", "echo", "one").stdout == "one\n"
        with user.start("enter", "work", "--", "host-exec", "echo", "two") as asking:
            person.decline("work")
            assert "the user said no" in asking.communicate(timeout=LONG_ENOUGH)[1]
        assert "echo one" in user.litterbox("approvals", "work").stdout


def test_the_dialog_warns_of_the_boxs_folder(user, box, person):
    allow(user, "git", "/usr/bin/git", "--folder", "box", "--yes", ask="confirm")
    with user.start("enter", "work", "--", "host-exec", "git", "status") as asking:
        shown = " ".join(person.decline("work").split())
        assert "gives the box your account, whatever the patterns." in shown
        asking.communicate(timeout=LONG_ENOUGH)


def test_refusals_name_what_is_allowed_and_are_written_down(user, box):
    allow(user, "echo", "/bin/echo", "--arguments", "hello *")
    refused = run(user, "host-exec", "sh", "-c", "true", status=126).stderr
    assert refused == 'litterbox: "sh" is not a command that the box may run on the host: echo\n'
    refused = run(user, "host-exec", "echo", "bye", status=126).stderr
    assert "only as: echo hello '*'" in refused
    assert run(user, "host-exec", "echo", "hello", "you").stdout == "hello you\n"
    assert "is not a command" in run(user, "host-exec", "/bin/echo", "hello", "you", status=126).stderr
    decisions = [line["decision"] for line in audit(user)]
    assert decisions == ["refused", "refused", "approved", "ended", "refused"]
    user.litterbox("settings", "work", "set", "host_exec", "false")
    refused = run(user, "/litterbox", "host-exec", "echo", "hello", "you", status=126).stderr
    assert "the settings of the box do not allow it" in refused


def test_links_go_by_the_programs_name_and_follow_the_settings(user, box):
    with user.session("work"):
        run(user, "host-exec", "echo", "x", status=127)  # no capability, no link
        allow(user, "host-echo", "/bin/echo", "--link")
        wait_until(lambda: "host-echo" in run(user, "ls", "/run/litterbox/bin").stdout, what="the link")
        assert run(user, "host-echo", "hello").stdout == "hello\n"
        user.litterbox("settings", "work", "host-exec", "remove", "host-echo")
        wait_until(lambda: "host-echo" not in run(user, "ls", "/run/litterbox/bin").stdout, what="its end")


def test_a_box_from_scratch_has_it_too(user, home):
    user.define_and_build("work", 'FROM scratch\nCMD ["/litterbox"]\n')
    allow(user, "sha256sum", "/usr/bin/sha256sum", "--link")
    done = run(user, "sha256sum", stdin="x")
    assert done.stdout.split()[0] == hashlib.sha256(b"x").hexdigest()
    assert run(user, "host-exec", "sha256sum", stdin="x").stdout == done.stdout


def test_what_is_started_as_another_user_of_the_box_still_works(user, box):
    """Root of the box, whose pipes its user could not open anew."""
    allow(user, "cat", "/bin/cat")
    done = user.litterbox("enter", "work", "--root", "--", "host-exec", "cat", stdin="from root\n")
    assert done.stdout == "from root\n"


def test_the_settings_are_read_strictly(user):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    with open(f"{user.root}/definitions/work.toml", "a") as file:
        file.write('\n[commands.git]\nprogram = "git"\n')
    refused = user.litterbox("build", "work", status=1).stderr
    assert "commands.git.program = 'git' is not allowed; it takes the absolute path of a program" in refused
    assert podman("container", "exists", "lbx-work", check=False).returncode == 1
