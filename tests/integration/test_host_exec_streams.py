"""What goes in and what comes out of a host command: every byte, whatever the caller's descriptors are."""

import fcntl
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest
from support.processes import eventually, is_running, state
from support.storms import repeated

from litterbox import paths

MIXED = bytes(range(256)) * 5000 + "é漢\n".encode() * 1000 + b"\xff\xfe\0"
LONG_ENOUGH = 60.0  # seconds


@pytest.fixture
def host(host_as_new):
    return host_as_new


def audit():
    with open(paths.audit_log("work")) as file:
        return [json.loads(line) for line in file]


def test_streams_and_status_are_the_commands(host):
    done = host.run("sh", "-c", "cat; echo to standard error >&2; exit 7", data=MIXED)
    assert (done.returncode, done.stdout, done.stderr) == (7, MIXED, b"to standard error\n")
    approved, ended = audit()
    assert (approved["what"], approved["decision"], approved["by"]) == ("host_exec", "approved", "policy")
    assert approved["detail"]["program"] == "/bin/sh"
    assert (ended["decision"], ended["detail"]["status"]) == ("ended", 7)


def test_without_input_and_without_output(host):
    assert host.run("true").returncode == 0
    assert host.run("cat").stdout == b""


@pytest.mark.parametrize("size", [1, 65536, 262143, 262144, 262145, 1048576, 5_000_001])
def test_every_size_passes_both_ways(host, size):
    data = os.urandom(size)
    assert host.run("cat", data=data).stdout == data


def test_a_large_file_keeps_its_checksum_both_ways(host, tmp_path):
    """A gigabyte, or a quarter of one in the usual run."""
    piece = os.urandom(1024 * 1024)
    expected = hashlib.sha256()
    with open(tmp_path / "big", "wb") as file:
        for _ in range(repeated(1024, usual=256)):
            file.write(piece)
            expected.update(piece)
    with open(tmp_path / "big", "rb") as big, host.start("sha256sum", stdin=big) as summing:
        assert summing.communicate(timeout=LONG_ENOUGH)[0].split()[0].decode() == expected.hexdigest()
    found = hashlib.sha256()
    with host.start("cat", str(tmp_path / "big")) as reading:
        while data := reading.stdout.read(1024 * 1024):
            found.update(data)
        assert reading.wait(LONG_ENOUGH) == 0
    assert found.hexdigest() == expected.hexdigest()


def test_a_slow_reader_holds_up_the_command_and_memory_stays(host):
    before = memory(host.process.pid)
    with host.start("cat", "/dev/zero") as endless:
        for _ in range(200):  # far behind what the command could write
            assert len(endless.stdout.read(65536)) == 65536
        assert memory(host.process.pid) - before < 16 * 1024
        assert memory(endless.pid) < 64 * 1024
        endless.kill()


def memory(pid):
    """RssAnon in KiB."""
    with open(f"/proc/{pid}/status") as file:
        [line] = [line for line in file if line.startswith("RssAnon:")]
    return int(line.split()[1])


def test_endless_input_ends_with_the_command(host):
    shell = f"yes | {' '.join(map(quote, host.command('head', '-1')))}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", shell],
        env=host.environment, capture_output=True, timeout=LONG_ENOUGH, check=False, preexec_fn=default_pipe,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (141, b"y\n", b"")  # 141: yes got SIGPIPE, as always


def test_endless_output_ends_with_its_reader(host):
    shell = f"{' '.join(map(quote, host.command('yes')))} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", shell], env=host.environment, capture_output=True, timeout=LONG_ENOUGH, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, b"y\n", b"")


def quote(word):
    return "'" + word.replace("'", "'\\''") + "'"


def default_pipe():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def test_both_outputs_at_once_are_whole(host):
    script = "for i in 1 2 3 4 5 6 7 8; do head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2; done"
    done = host.run("sh", "-c", script)
    assert (len(done.stdout), len(done.stderr)) == (800_000, 800_000)


@pytest.mark.parametrize("kind", ["pipe", "socket", "file", "null"])
def test_descriptors_are_left_blocking(host, kind, tmp_path):
    ours, theirs = descriptors(kind, tmp_path)
    out_ours, out_theirs = descriptors(kind, tmp_path, writing=True)
    if kind in {"pipe", "socket"}:
        os.write(ours, b"hello")
        os.close(ours)
    with host.start("cat", stdin=theirs, stdout=out_theirs) as process:
        process.wait(LONG_ENOUGH)
        assert process.returncode == 0
    for descriptor in (theirs, out_theirs):
        assert not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK
    os.close(out_theirs)
    if kind in {"pipe", "socket"}:
        assert os.read(out_ours, 100) == b"hello"
    if kind == "file":
        assert (tmp_path / "out").read_bytes() == b"of the file"


def descriptors(kind, folder, *, writing=False):
    """Our end and the one to hand over."""
    match kind:
        case "pipe":
            read, write = os.pipe()
            return (read, write) if writing else (write, read)
        case "socket":
            pair = socket.socketpair()
            return tuple(end.detach() for end in pair)
        case "file":
            (folder / "in").write_bytes(b"of the file")
            flags = os.O_WRONLY | os.O_CREAT if writing else os.O_RDONLY
            return -1, os.open(folder / ("out" if writing else "in"), flags, 0o600)
        case _:
            return -1, os.open(os.devnull, os.O_RDWR)


def test_a_pipe_that_cannot_be_opened_anew_is_read_and_written_all_the_same(host, monkeypatch):
    """As after su: /proc/self/fd leads to a pipe of another user's."""
    code = (
        "import os, sys\n"
        "real = os.open\n"
        "def refuse(path, *words, **more):\n"
        "    if str(path).startswith('/proc/self/fd/'):\n"
        "        raise PermissionError(13, 'Permission denied')\n"
        "    return real(path, *words, **more)\n"
        "os.open = refuse\n"
        "from litterbox_guest.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "host-exec", "sh", "-c", "cat; exit 3"],
        env=host.environment, input=MIXED, capture_output=True, timeout=LONG_ENOUGH, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, MIXED, b"")


def test_closed_input_is_no_descriptor_of_ours(host):
    shell = f"{' '.join(map(quote, host.command('sh', '-c', 'echo hi; cat')))} <&- | cat"
    done = subprocess.run(
        ["sh", "-c", shell], env=host.environment, capture_output=True, timeout=LONG_ENOUGH, check=False
    )
    assert (done.stdout, done.stderr) == (b"hi\n", b"")


@pytest.mark.parametrize("words", [["--help"], ["nonsense"]])
@pytest.mark.parametrize("elsewhere", ["| true", ">/dev/full", ">&-", "2>&-"])
def test_what_nobody_reads_is_no_traceback(host, words, elsewhere):
    shell = f"{' '.join(map(quote, host.command(*words)))} {elsewhere}"
    done = subprocess.run(
        ["sh", "-c", shell],
        env=host.environment | {"LC_ALL": "C", "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        timeout=LONG_ENOUGH,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == (0 if words == ["--help"] or elsewhere == "| true" else 126)


@pytest.mark.parametrize(("closed", "status", "output"), [("<&-", 0, b""), ("2>&-", 0, b""), (">&-", 1, b"")])
def test_closed_descriptors_are_no_crash(host, closed, status, output):
    shell = f"{' '.join(map(quote, host.command('cat', '/proc/version')))} {closed}"
    done = subprocess.run(
        ["sh", "-c", shell], env=host.environment, capture_output=True, timeout=LONG_ENOUGH, check=False
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == status
    assert (b"Linux" in done.stdout) is (status == 0)


def test_a_full_disk_is_told(host):
    with open("/dev/full", "wb") as full, host.start("cat", "/proc/version", stdout=full) as process:
        _out, err = process.communicate(timeout=LONG_ENOUGH)
    assert process.returncode == 1
    assert err == b"litterbox: what the command wrote cannot be written here: No space left on device\n"


def test_what_was_left_in_the_background_is_ended_and_holds_up_nobody(host):
    script = "sleep 1000 & echo $!; exit 5"
    done = host.run("sh", "-c", script)
    assert done.returncode == 5
    assert not is_running(int(done.stdout))


def test_one_that_left_the_group_and_holds_the_output_open_is_not_waited_for(host):
    done = host.run("sh", "-c", "exec 3>&1; left=$(setsid sh -c 'sleep 30 >&3 & echo $!'); echo $left; exit 5")
    assert done.returncode == 5
    os.kill(int(done.stdout), 9)


def test_what_the_group_still_writes_when_its_leader_has_ended_is_not_lost(host):
    for _ in range(10):
        assert host.run("bash", "-c", "exec > >(sleep 0.1; cat); echo hi").stdout == b"hi\n"


def test_as_long_as_output_waits_the_commands_number_is_no_others(host):
    """The leader stays a zombie until its group is ended: no other process can have got its number by then."""
    with host.start("sh", "-c", "echo $$; exec head -c 100000000 /dev/zero") as endless:
        pid = int(endless.stdout.readline())
        os.kill(pid, 9)
        eventually(lambda: state(pid) == "Z")
        endless.kill()
    eventually(lambda: not os.path.exists(f"/proc/{pid}"))


def test_many_at_once_are_told_apart(host):
    results = {}

    def run(number):
        results[number] = host.run("cat", data=b"%d" % number * 1000).stdout

    threads = [threading.Thread(target=run, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: b"%d" % number * 1000 for number in range(20)}


def test_a_command_that_ends_at_once_is_not_worth_the_import_of_trio(host):
    code = (
        "import os, sys\n"
        "from litterbox_guest.main import main\n"
        "status = main(['host-exec', 'sh', '-c', 'echo out; echo err >&2; exit 3'])\n"
        "print(*{'trio', 'attrs', 'typing'} & sys.modules.keys())\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path[:] = {sys.path}\n{code}"],
        env=host.environment, capture_output=True, timeout=LONG_ENOUGH, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n\n", b"err\n")


def test_what_was_said_at_once_is_not_lost_where_the_command_goes_on(host):
    done = host.run("sh", "-c", "echo at once; echo so is this >&2; cat; sleep 0.2; echo later", data=MIXED)
    assert (done.stdout, done.stderr) == (b"at once\n" + MIXED + b"later\n", b"so is this\n")


def test_a_short_output_waits_for_a_slow_reader_that_made_its_pipe_non_blocking(host):
    read, write = os.pipe()
    os.set_blocking(write, False)
    before = os.write(write, bytes(60_000))
    with host.start("head", "-c", "30000", "/dev/zero", stdout=write) as process:
        os.close(write)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        with open(read, "rb") as pipe:
            assert len(pipe.read()) == before + 30_000
        assert process.wait(LONG_ENOUGH) == 0


def test_a_short_output_that_nobody_reads_ends_as_any_other(host):
    read, write = os.pipe()
    os.close(read)
    with host.start("env", stdout=write) as process:
        os.close(write)
        assert process.communicate(timeout=LONG_ENOUGH)[1] == b""
    assert process.returncode == -signal.SIGPIPE
