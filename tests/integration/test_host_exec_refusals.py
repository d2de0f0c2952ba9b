"""What a box may not: each refusal is answered with its sentence and written down, and nothing runs."""

import json
import os
import subprocess
import sys

import pytest
from support.host_socket import Client

from litterbox import paths
from litterbox_guest import wire

HELLO = {"type": "hello", "version": "1", "container": "work", "capabilities": ["host_exec"]}


@pytest.fixture
def client(host):
    with Client(host.path) as connected:
        yield connected


def audit():
    with open(paths.audit_log("work")) as file:
        return [json.loads(line) for line in file]


def refused(answer, *words):
    """Whether it is an error with these words, and the audit log says so."""
    assert answer["type"] == "error"
    [line] = audit()
    assert (line["what"], line["decision"], line["by"]) == ("host_exec", "refused", "policy")
    for word in words:
        assert word in answer["reason"]
        assert word in line["detail"]["reason"]
    return True


@pytest.mark.parametrize(
    ("command", "args", "words"),
    [
        ("git", ["status"], ['"git" is not a command that the box may run', "sh, cat, pwd"]),
        ("/bin/cat", [], ["/bin/cat", "is not a command"]),
        ("../cat", [], ["is not a command"]),
        ("cat\0", [], ["is not a command"]),
        ("", [], ["is not a command"]),
        ("sh", ["-c", "a\0b"], ["NUL"]),
        ("limited", ["fine", "and more"], ["limited may not be run with these arguments", "limited fine"]),
        ("limited", [], ["only as: limited fine"]),
        ("sh", ["x" * 900_000], ["longer than 131,071 bytes"]),
        ("sh", ["x" * 100_000] * 9, ["longer than 262,144 bytes"]),
        ("sh", ["\ud800"], ["not valid text"]),
    ],
)
def test_what_is_not_allowed_is_refused(client, command, args, words):
    client.ask(HELLO)
    assert refused(client.ask({"type": "host_exec", "command": command, "args": args}), *words)


@pytest.mark.parametrize(
    ("working_dir", "words"),
    [
        ("/tmp", ["this must be in /home/user"]),
        ("/home/user/../..", ["not a plain path"]),
        ("/home/user/" + "x/" * 2100, ["longer than 4,096 characters"]),
        ("/home/user/link", ["without following links"]),
        ("/home/user/none", ["No such file"]),
    ],
)
def test_a_folder_that_is_not_the_boxes_is_refused(client, working_dir, words):
    os.symlink("/etc", os.path.join(paths.home("work"), "link"))
    client.ask(HELLO)
    assert refused(client.ask({"type": "host_exec", "command": "here", "working_dir": working_dir}), *words)


def test_a_capability_that_was_not_granted_on_this_connection(host, client):
    with Client(host.path) as other:
        assert other.ask(HELLO)["accepted"] == ["host_exec"]
        client.ask({**HELLO, "capabilities": []})
        assert refused(client.ask({"type": "host_exec", "command": "true"}), "was not granted on this connection")


def test_a_capability_that_the_settings_do_not_grant(client):
    with open(paths.settings("work"), "a") as file:
        file.write('\n[commands.later]\nprogram = "/bin/true"\n')
    with open(paths.settings("work")) as file:
        text = file.read()
    with open(paths.settings("work"), "w") as file:
        file.write(text.replace("host_exec = true", "host_exec = false"))
    assert client.ask(HELLO)["rejected"] == ["host_exec"]
    assert refused(client.ask({"type": "host_exec", "command": "true"}), "the settings of the box do not allow it")


def test_confirm_asks_and_a_no_is_a_no(client):
    with open(paths.settings("work"), "w") as file:
        file.write('host_exec = "confirm"\ncommands.true.program = "/bin/true"\n')
    client.ask(HELLO)
    answer = client.ask({"type": "host_exec", "command": "true"})
    assert answer == {"type": "error", "reason": "true was declined: the user said no"}
    [line] = audit()
    assert (line["decision"], line["by"]) == ("declined", "dialog")


def test_what_is_too_long_to_be_shown_is_not_asked(client):
    with open(paths.settings("work"), "w") as file:
        file.write('host_exec = "confirm"\ncommands.true.program = "/bin/true"\n')
    client.ask(HELLO)
    assert refused(client.ask({"type": "host_exec", "command": "true", "args": ["x" * 1000]}), "too long to be shown")


def test_what_would_lose_its_middle_in_a_window_is_not_asked(client):
    """Each piece of it is short enough, and all of them are too many lines."""
    with open(paths.settings("work"), "w") as file:
        file.write('host_exec = "confirm"\ncommands.true = {program = "/bin/true", folder = "box"}\n')
    client.ask(HELLO)
    request = {"type": "host_exec", "command": "true", "working_dir": "/home/user"}
    assert refused(client.ask({**request, "args": ["x" * 40] * 15}), "too long to be shown")


def test_many_half_frames_take_no_more_memory_than_there_is_room_for(host):
    clients = []
    closed = 0
    for _ in range(80):
        client = Client(host.path)
        clients.append(client)
        client.ask(HELLO)
        try:
            client.sendall((wire.MAX_FRAME).to_bytes(4, "big") + bytes(wire.MAX_FRAME - 1))
            client.settimeout(0.1)
            closed += client.receive() is None
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            closed += 1
    assert 10 < closed < 30
    for client in clients:
        client.close()
    with Client(host.path) as client:
        assert client.ask(HELLO)["accepted"] == ["host_exec"]


def test_a_hello_names_so_many_capabilities_and_no_more(client):
    answer = client.ask({**HELLO, "capabilities": ["x"] * 65})
    assert answer == {"type": "error", "reason": "a hello names at most 64 of each"}
    assert client.ask({"type": "ping"})["reason"] == "say hello first"


def test_what_is_not_asked_about_may_be_longer(host):
    assert host.run("sh", "-c", "echo $#", "sh", *["x" * 100] * 1000).stdout == b"1000\n"


def test_a_program_in_the_home_of_a_box(client):
    program = os.path.join(paths.home("work"), "evil")
    with open(program, "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(program, 0o700)
    with open(paths.settings("work"), "w") as file:
        file.write(f'host_exec = true\ncommands.evil.program = "{program}"\n')
    client.ask(HELLO)
    assert refused(client.ask({"type": "host_exec", "command": "evil"}), "in the home of a box")


def test_a_program_that_is_not_there_is_told_and_written_down(host):
    done = host.run("gone")
    reason = "/nonexistent/program cannot be run on the host: No such file or directory"
    assert (done.returncode, done.stderr) == (126, f"litterbox: {reason}\n".encode())
    approved, failed = audit()
    assert (approved["decision"], failed["decision"], failed["detail"]["reason"]) == ("approved", "failed", reason)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "command"),
        ({"command": 3}, "$.command"),
        ({"command": "true", "args": "x"}, "$.args"),
        ({"command": "true", "args": [1]}, "$.args"),
        ({"command": "true", "terminal": {"rows": 3}}, "$.terminal"),
        ({"command": "true", "terminal": {"rows": "3", "columns": 3}}, "$.terminal"),
    ],
)
def test_a_malformed_request_names_the_field(client, fields, words):
    client.ask(HELLO)
    answer = client.ask({"type": "host_exec", **fields})
    assert answer["type"] == "error"
    assert words in answer["reason"]


def test_a_frame_over_the_limit_is_told_and_closes_the_connection(client):
    client.ask(HELLO)
    client.sendall((wire.MAX_FRAME + 1).to_bytes(4, "big") + bytes(1000))
    assert client.receive() == {"type": "error", "reason": "a frame of 1048577 bytes; the largest has 1048576"}
    assert client.receive() is None
    [line] = audit()
    assert (line["what"], line["decision"]) == ("connection", "refused")


def test_the_guest_refuses_what_fits_in_no_frame(host):
    done = host.run("true", *["x" * 100_000] * 11)
    assert (done.returncode, done.stderr) == (125, b"litterbox: the request does not fit into one message\n")


def test_a_client_without_features_has_the_answers_of_the_specification(client):
    client.ask(HELLO)
    out = client.ask({"type": "host_exec", "command": "sh", "args": ["-c", "echo hé; printf '\\377' >&2; exit 3"]})
    rest = [client.receive(), client.receive()]
    assert sorted([out, *rest], key=lambda frame: frame["type"]) == [
        {"type": "host_exec_done", "exit_code": 3},
        {"type": "host_exec_stderr", "encoding": "base64", "data": "/w=="},
        {"type": "host_exec_stdout", "data": "hé\n"},
    ]


def test_a_client_that_knows_of_no_window_can_send_input(client):
    client.ask(HELLO)
    client.sendall(wire.encode({"type": "host_exec", "command": "sh", "args": ["-c", "wc -c"]}))
    for _ in range(40):
        client.sendall(wire.encode({"type": "host_exec_stdin", "data": "x" * 100_000}))
    assert client.ask({"type": "host_exec_stdin_eof"})["data"].strip() == "4000000"
    assert client.receive() == {"type": "host_exec_done", "exit_code": 0}


def test_what_is_no_part_of_a_running_command_is_answered_beside_it(client):
    client.ask({**HELLO, "features": ["streams"]})
    assert client.ask({"type": "host_exec", "command": "cat"}) == {"type": "ack"}
    assert client.ask({"type": "ping"}) == {"type": "ack"}
    for message in ({"type": "host_exec", "command": "true"}, {"type": "host_exec_signal", "signal": "KILL"},
                    {"type": "host_exec_signal", "signal": "STOP"}, {"type": "dance"}):  # fmt: skip
        assert client.ask(message)["type"] == "error"
    answers = [client.ask({"type": "host_exec_stdin"}, b"\0\xff"), client.receive()]
    assert {"type": "ack", "stdin": 2} in answers
    assert {"type": "host_exec_stdout", "data": b"\0\xff"} in answers


def test_the_environment_is_the_hosts(host):
    done = host.run("env", environment={"OF_THE_BOX": "yes", "LD_PRELOAD": ""})
    assert b"OF_THE_HOST=yes" in done.stdout
    for word in (b"OF_THE_BOX", b"LD_PRELOAD", b"LITTERBOX_", b"PWD="):
        assert word not in done.stdout


def test_the_folder_is_an_empty_one_or_the_callers(host):
    assert host.run("pwd").stdout == f"{os.path.realpath(paths.empty_folder('work'))}\n".encode()
    assert host.run("sh", "-c", "ls -A; echo x > x").returncode != 0
    assert os.listdir(paths.empty_folder("work")) == []


def test_a_command_that_has_a_link_goes_by_its_own_name(host):
    done = host.run("-c", "echo $0 $1", "sh", "x", called="sh")
    assert done.stdout == b"sh x\n"


@pytest.mark.parametrize(
    ("words", "status"), [(["--help"], 0), (["--version"], 0), ([], 2), (["--nonsense"], 2), (["--"], 2)]
)
def test_its_own_command_line(host, words, status):
    done = host.run(*words)
    assert done.returncode == status
    assert b"host-exec" in done.stdout + done.stderr


def test_without_a_host_there_is_a_sentence(host):
    done = host.run("true", environment={"XDG_RUNTIME_DIR": "/nonexistent"})
    assert (done.returncode, done.stderr) == (125, b"litterbox: the host does not answer: No such file or directory\n")


def test_streams_are_carried_without_what_is_slow_to_import(host):
    """Attrs comes with trio; cattrs, asyncssh and typing's readers of annotations do not."""
    code = (
        "import sys; from litterbox_guest.main import main; status = main(sys.argv[1:]);"
        "print(sorted({'cattrs', 'asyncssh', 'pyinotify', 'litterbox_guest.messages'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "host-exec", "sleep", "0.2"],
        env=host.environment,
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"[]\n"
