"""`litterbox agent` as a user runs it: the real command, OpenSSH's own tools, a terminal, a person at the display."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile

import asyncssh
import attrs
import pexpect
import pytest
from asyncssh.packet import String
from support.conversation import EMPTY_LIST, LIST, SUCCESS, add, listed
from support.person import Person
from support.user import PASSWORD, User, wait_until

LONG_ENOUGH = 30  # seconds
COUNT_INTERRUPTS = """
import signal, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
while not seen: time.sleep(0.02)
time.sleep(0.5)
raise SystemExit(40 + len(seen))
"""


@attrs.frozen
class Desk(User):
    """A user with a folder for sockets and files in which the commands run."""

    folder: str = ""

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    @contextlib.contextmanager
    def agent(self, *words: str, name: str = "agent.sock", **options):
        """Run the agent until the end of the block; yields its process when it serves."""
        with self.start("agent", "--socket", self.path(name), *words, **options) as agent:
            line = agent.stdout.readline()
            assert line.startswith("SSH_AUTH_SOCK="), agent.stderr.read()
            yield agent

    def run(self, *command: str, name: str = "agent.sock", stdin: str = ""):
        """Run a command of OpenSSH's that talks to the agent."""
        return subprocess.run(
            command,
            env=self.environment | {"SSH_AUTH_SOCK": self.path(name)},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG_ENOUGH,
            check=False,
        )

    def with_agent(self, *words: str, status: int | None = 0, **environment: str):
        """Run the agent to its end."""
        return self.litterbox("agent", "--socket", self.path("agent.sock"), *words, status=status, **environment)

    def make_key(self, name: str, *options: str) -> None:
        made = self.run("ssh-keygen", "-q", "-N", "", "-C", name, "-f", name, *(options or ("-t", "ed25519")))
        assert made.returncode == 0, made.stderr

    def listed(self, **options: str) -> list[str]:
        """The comments of the keys that the agent lists."""
        return [line.split(maxsplit=2)[2] for line in self.run("ssh-add", "-L", **options).stdout.splitlines()]

    def signs(self, key: str) -> bool:
        """Whether the agent signs with the key, as OpenSSH verifies it."""
        with open(self.path("letter"), "w") as file:
            file.write("dear you\n")
        with open(self.path(f"{key}.pub")) as public, open(self.path("signers"), "w") as signers:
            signers.write(f"me@host {public.read()}")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path("letter.sig"))
        if self.run("ssh-keygen", "-Y", "sign", "-n", "file", "-f", f"{key}.pub", "letter").returncode != 0:
            return False
        verify = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "me@host", "-n", "file", "-s", "letter.sig"]
        verified = self.run(*verify, stdin="dear you\n")
        assert verified.returncode == 0, verified.stderr
        return True

    def audit(self) -> list[dict]:
        with open(f"{self.root}/logs/agent.jsonl") as file:
            return [json.loads(line) for line in file]


@pytest.fixture
def desk(tmp_path):
    """A user without a display, in a terminal or without one."""
    folder = tmp_path / "desk"
    folder.mkdir(mode=0o700)
    root = str(tmp_path / "Litterbox")
    left_out = ("LITTERBOX_", "DISPLAY", "WAYLAND_", "XAUTHORITY", "SSH_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    ours = {"LITTERBOX_ROOT": root, "LITTERBOX_PASSWORD_COMMAND": f"echo '{PASSWORD}'", "LC_ALL": "C.UTF-8"}
    return Desk(root, environment | ours, folder=str(folder))


@pytest.fixture
def person(display):
    return Person(display)


def end(agent, number: int = signal.SIGTERM) -> int:
    agent.send_signal(number)
    return agent.wait(LONG_ENOUGH)


# --- without a command


def test_it_says_where_it_serves_and_serves_there(desk):
    with desk.start("agent", "--socket", desk.path("agent.sock"), "--approve", "all") as agent:
        assert agent.stdout.readline() == f"SSH_AUTH_SOCK={desk.path('agent.sock')}\n"
        assert stat.S_IMODE(os.lstat(desk.path("agent.sock")).st_mode) == 0o600
        run = desk.run("ssh-add", "-l")
        assert (run.returncode, run.stdout) == (1, "The agent has no identities.\n")


def test_what_it_prints_is_quoted_for_a_shell(desk):
    with desk.start("agent", "--socket", desk.path("my agent's $sock"), "--approve", "all") as agent:
        line = agent.stdout.readline()
        run = desk.run("sh", "-c", f"{line}export SSH_AUTH_SOCK; ssh-add -l")
        assert run.stdout == "The agent has no identities.\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_the_socket_is_gone(desk, number, status):
    with desk.agent() as agent:
        assert end(agent, number) == status
        assert os.listdir(desk.folder) == []
        assert "Traceback" not in agent.stderr.read()


def test_a_connected_client_does_not_keep_it_from_ending(desk):
    with desk.agent() as agent, socket.socket(socket.AF_UNIX) as client:
        client.connect(desk.path("agent.sock"))
        assert end(agent) == 0
        assert client.recv(1) == b""


def test_an_abandoned_socket_is_replaced(desk):
    with desk.agent() as killed:
        end(killed, signal.SIGKILL)
    assert os.path.lexists(desk.path("agent.sock"))
    with desk.agent("--approve", "all"):
        assert desk.run("ssh-add", "-l").returncode == 1


def test_a_second_agent_does_not_take_the_place_of_the_first(desk):
    with desk.agent("--approve", "all"):
        second = desk.with_agent("true", status=2)
        assert "Another program listens" in second.stderr
        assert desk.run("ssh-add", "-l").returncode == 1


def test_a_file_that_is_in_the_way_stays_as_it_is(desk):
    with open(desk.path("agent.sock"), "w") as file:
        file.write("precious")
    assert "exists already" in desk.with_agent("true", status=2).stderr
    with open(desk.path("agent.sock")) as file:
        assert file.read() == "precious"


# --- keys and who may use them


@pytest.mark.parametrize("kind", [("-t", "ed25519"), ("-t", "rsa", "-b", "3072"), ("-t", "ecdsa")])
def test_a_key_that_was_added_signs(desk, kind):
    desk.make_key("key", *kind)
    with desk.agent("--approve", "all"):
        added = desk.run("ssh-add", "key")
        assert added.returncode == 0, added.stderr
        assert desk.listed() == ["key"]
        assert desk.signs("key")


def test_keys_of_the_store_are_offered_by_name_and_others_are_not(desk):
    for name in ("offered", "kept"):
        with open(desk.path(f"{name}.pub"), "w") as file:
            file.write(desk.litterbox("keys", "generate", name).stdout)
    with desk.agent("--approve", "all", "--key", "offered"):
        assert desk.listed() == ["offered"]
        assert desk.signs("offered")
        assert desk.run("ssh-add", "-T", "kept.pub").returncode != 0
    lines = [(line["what"], line["decision"], line["by"], line["box"]) for line in desk.audit()]
    assert ("sign", "approved", "policy", "agent") in lines
    assert ("sign", "refused", "policy", "agent") in lines


def test_without_a_key_no_password_is_asked_for(desk):
    desk.litterbox("keys", "generate", "work")
    desk.with_agent("--approve", "all", "true", LITTERBOX_PASSWORD_COMMAND=f"touch {desk.path('asked')}; false")
    assert not os.path.exists(desk.path("asked"))


def test_a_wrong_password_is_an_error_before_there_is_a_socket(desk):
    desk.litterbox("keys", "generate", "work")
    run = desk.with_agent("--key", "work", "true", status=1, LITTERBOX_PASSWORD_COMMAND="echo wrong")
    assert "password" in run.stderr
    assert not os.path.lexists(desk.path("agent.sock"))


def test_sigusr1_drops_what_was_added_and_keeps_the_stores_keys(desk):
    desk.litterbox("keys", "generate", "stored")
    desk.make_key("added")
    with desk.agent("--approve", "all", "--key", "stored") as agent:
        desk.run("ssh-add", "added")
        assert desk.listed() == ["stored", "added"]
        agent.send_signal(signal.SIGUSR1)
        wait_until(lambda: desk.listed() == ["stored"], what="the added key's going", within=LONG_ENOUGH)


def test_a_signal_drops_the_keys_before_the_next_request_is_answered(desk):
    key = asyncssh.generate_private_key("ssh-ed25519")
    with desk.agent("--approve", "all") as agent, socket.socket(socket.AF_UNIX) as client:
        client.settimeout(LONG_ENOUGH)
        client.connect(desk.path("agent.sock"))

        def ask(request: bytes) -> bytes:
            client.sendall(String(request))
            return client.recv(4096)[4:]

        for _ in range(50):
            assert ask(add(key)) == SUCCESS
            assert len(listed(ask(LIST))) == 1
            agent.send_signal(signal.SIGUSR1)
            assert ask(LIST) == EMPTY_LIST


@pytest.mark.parametrize("name", ["mem", "environ", "maps", "fd/0"])
def test_its_memory_is_not_for_the_users_other_processes(desk, name):
    with desk.agent() as agent, pytest.raises(PermissionError), open(f"/proc/{agent.pid}/{name}", "rb") as file:
        file.read(1)


def test_approving_none_refuses_everything(desk):
    desk.make_key("key")
    with desk.agent("--approve", "none"):
        for words in (["ssh-add", "-l"], ["ssh-add", "key"], ["ssh-add", "-D"]):
            assert desk.run(*words).returncode != 0
    lines = [(line["what"], line["decision"], line["by"]) for line in desk.audit()]
    assert lines[:3] == [(what, "declined", "policy") for what in ("list", "add", "remove all")]


def test_without_a_display_asking_means_no(desk):
    with desk.agent():
        assert "refused" in desk.run("ssh-add", "-l").stderr
    assert [(line["what"], line["decision"], line["by"]) for line in desk.audit()] == [
        ("list", "declined", "no display")
    ]


@pytest.mark.parametrize(("other", "uid"), [("root", 0), ("nosub", 1001)])
def test_processes_of_others_are_turned_away(desk, other, uid):
    connect = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(s.recv(1))"
    with tempfile.TemporaryDirectory(dir="/tmp") as open_to_all:
        path = f"{open_to_all}/agent.sock"
        with desk.agent("--approve", "all", name=path) as agent:
            os.chmod(open_to_all, 0o755)
            os.chmod(path, 0o666)  # as careless as can be: the socket's own rights must not be all there is
            assert desk.run("sudo", "-u", other, "/usr/bin/python3", "-c", connect, path).stdout == "b''\n"
            assert desk.run("ssh-add", "-l", name=path).returncode == 1
            end(agent)
            assert f"agent connection closed: uid {uid} " in agent.stderr.read()
    assert [line["what"] for line in desk.audit()] == ["list"]


# --- with a person


def test_the_person_at_the_display_is_asked(desk, display, person):
    desk.make_key("key")
    with desk.agent(environment=display.environment):
        with asking(desk, "ssh-add", "key") as adding:
            text = person.approve(None)
            assert adding.wait(LONG_ENOUGH) == 0
        assert text.startswith("A program on this computer: add an SSH key to its agent?")
        with asking(desk, "ssh-add", "-l") as listing:
            person.decline(None)
            assert listing.wait(LONG_ENOUGH) == 1


def test_a_key_to_be_confirmed_is_asked_about_though_all_is_approved(desk, display, person):
    desk.make_key("key")
    with desk.agent("--approve", "all", environment=display.environment):
        assert desk.run("ssh-add", "-c", "key").returncode == 0
        with asking(desk, "ssh-add", "-T", "key.pub") as testing:
            assert "not from your key store" in person.decline(None)
            assert testing.wait(LONG_ENOUGH) != 0
        with asking(desk, "ssh-add", "-T", "key.pub") as testing:
            person.approve(None)
            assert testing.wait(LONG_ENOUGH) == 0


def test_a_window_that_nobody_answers_means_no_in_the_time_that_was_given(desk, display):
    with desk.agent("--timeout", "5", environment=display.environment):
        assert "refused" in desk.run("ssh-add", "-l").stderr
    assert [(line["decision"], line["by"]) for line in desk.audit()] == [("declined", "timeout")]


@contextlib.contextmanager
def asking(desk, *command):
    with subprocess.Popen(
        command,
        env=desk.environment | {"SSH_AUTH_SOCK": desk.path("agent.sock")},
        cwd=desk.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


# --- with a command


def test_a_command_has_the_agent_and_its_status_is_ours(desk):
    desk.make_key("key")
    script = f"cd {desk.folder} && ssh-add -q key && ssh-add -L && exit 7"
    run = desk.with_agent("--approve", "all", "--", "sh", "-c", script, status=7)
    assert run.stdout.endswith(" key\n")
    assert not os.path.lexists(desk.path("agent.sock"))


def test_the_commands_own_options_are_its_own(desk):
    assert desk.with_agent("echo", "--key", "x", "-h").stdout == "--key x -h\n"


@pytest.mark.parametrize(
    ("command", "status"), [("kill -9 $$", 137), ("exec /no/such/program", 127), ("exec /etc/passwd", 126)]
)
def test_how_a_command_ends_is_told_as_shells_do(desk, command, status):
    desk.with_agent("sh", "-c", command, status=status)


@pytest.mark.parametrize(("command", "status"), [("/no/such/program", 127), ("/etc/passwd", 126)])
def test_a_command_that_cannot_be_run_is_a_sentence(desk, command, status):
    run = desk.with_agent(command, status=status)
    assert run.stderr.startswith(f"litterbox: {command} cannot be run: ")
    assert not os.path.lexists(desk.path("agent.sock"))


def test_a_signal_goes_on_to_the_command_and_its_end_is_waited_for(desk):
    script = "trap 'sleep 0.3; echo ended; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    with desk.start("agent", "--socket", desk.path("agent.sock"), "--", "sh", "-c", script) as agent:
        assert agent.stdout.readline() == "ready\n"
        assert end(agent) == 9
        assert agent.stdout.read() == "ended\n"


@contextlib.contextmanager
def terminal(desk, *words):
    """A terminal with the agent in its foreground."""
    command = ["agent", "--socket", desk.path("agent.sock"), *words]
    child = pexpect.spawn("litterbox", command, env=desk.environment, encoding="utf-8", timeout=LONG_ENOUGH)
    try:
        yield child
    finally:
        child.close(force=True)


def test_ctrl_c_reaches_the_command_once_and_the_agent_waits_for_it(desk):
    with terminal(desk, "--", sys.executable, "-c", COUNT_INTERRUPTS) as child:
        child.expect("ready")
        child.sendintr()
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 41
    assert os.listdir(desk.folder) == []


def test_an_interrupt_from_elsewhere_goes_on_to_the_command(desk):
    command = ["--", sys.executable, "-c", COUNT_INTERRUPTS]
    with desk.start("agent", "--socket", desk.path("agent.sock"), *command, start_new_session=True) as agent:
        assert agent.stdout.readline() == "ready\n"
        assert end(agent, signal.SIGINT) == 41


def test_ctrl_c_ends_an_agent_without_a_command(desk):
    with terminal(desk) as child:
        child.expect("SSH_AUTH_SOCK=")
        child.sendintr()
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 130
    assert os.listdir(desk.folder) == []


def test_a_shell_is_a_command_like_any_other(desk):
    with terminal(desk, "--approve", "all", "--", "bash", "--norc", "-i") as child:
        child.expect(r"\$ ")
        child.sendline("sh -c 'ssh-add -l; exec sleep 100'")
        child.expect("The agent has no identities")
        child.sendintr()
        child.expect(r"\$ ")
        child.sendline("exit 3")
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 3


def test_under_nohup_the_command_is_not_hung_up(desk):
    script = 'echo ready; kill -HUP "$PPID" "$$"; sleep 0.3; echo still here'
    done = subprocess.run(
        ["nohup", "litterbox", "agent", "--socket", desk.path("agent.sock"), "--", "sh", "-c", script],
        env=desk.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONG_ENOUGH,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ready\nstill here\n")
