"""litterbox-clipboard's command line, the messages it makes, and its standard streams, against a host of the test's."""

import hashlib
import os
import socket
import subprocess
import sys
import threading

import pytest

from litterbox.capabilities import selections
from litterbox.capabilities.replies import Ack, ClipboardData, Error, encode
from litterbox_guest import messages, wire
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors import clipboard
from litterbox_guest.messages import ClipboardGet, ClipboardSet, Hello, HelloAck

PROGRAM = (
    f"import sys; sys.path[:] = {sys.path!r};"
    "from litterbox_guest import main; sys.exit(main.main(['litterbox-clipboard', *sys.argv[1:]]))"
)


class Host:
    """Listens where a host would, for one connection; keeps what it was sent, and answers with `answers`."""

    def __init__(self, folder):
        self.received = []
        self.answers = [encode(Ack(), raw=True)]
        os.mkdir(f"{folder}/litterbox")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/litterbox/work.sock")
        self.listener.listen()
        self.environment = {"XDG_RUNTIME_DIR": folder, "LITTERBOX_NAME": "work"}
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        frames = wire.FrameReader()
        try:
            connection, _address = self.listener.accept()
        except OSError:
            return
        with connection:
            while data := connection.recv(65536):
                frames.receive_data(data)
                while (frame := frames.next_frame()) is not None:
                    message = messages.from_guest(frame)
                    self.received.append(message)
                    if isinstance(message, Hello):
                        ack = HelloAck(accepted=["clipboard"], rejected=[], features=message.features)
                        connection.sendall(encode(ack, raw=True))
                    elif isinstance(message, ClipboardGet) or not message.more:
                        try:
                            for answer in self.answers:
                                connection.sendall(answer)
                        except BrokenPipeError:
                            return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def served(tmp_path):
    serving = Host(str(tmp_path))
    yield serving
    serving.close()


def start(environment, *words, stdout=subprocess.PIPE):
    command = [sys.executable, "-SsE", "-c", PROGRAM, *words]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE)


def run(served, *words, stdin=b""):
    with start(served.environment, *words) as child:
        out, err = child.communicate(stdin, timeout=30)
    return child.returncode, out, err.decode()


def data(content, *, more=False):
    return encode(ClipboardData(mime_type="text/plain", more=more, data=content), raw=True)


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (["set"], {}),
        (["set", "--primary"], {"primary": True}),
        (["-p", "set", "-t", "image/png"], {"primary": True, "mime_type": "image/png"}),
        (["set", "--type=text/html"], {"mime_type": "text/html"}),
        (["--type", "text/html", "set"], {"mime_type": "text/html"}),
    ],
)
def test_set_sends_what_standard_input_has(served, words, fields):
    assert run(served, *words, stdin=b"\xff\0 hello\n") == (0, b"", "")
    hello, piece = served.received
    assert (hello.capabilities, hello.features) == (["clipboard"], [messages.STREAMS])
    assert piece == ClipboardSet(data=b"\xff\0 hello\n", **fields)


@pytest.mark.parametrize(
    ("size", "count"), [(0, 1), (messages.CHUNK, 1), (messages.CHUNK + 1, 2), (clipboard.MAX_SIZE, 64)]
)
def test_set_sends_pieces_and_the_last_says_so(served, size, count):
    content = os.urandom(size)
    assert run(served, "set", "-t", "image/png", stdin=content)[0] == 0
    pieces = served.received[1:]
    assert [piece.more for piece in pieces] == [True] * (count - 1) + [False]
    assert {piece.mime_type for piece in pieces} == {"image/png"}
    assert b"".join(piece.data for piece in pieces) == content


def test_more_than_goes_through_is_refused_before_the_host_is_asked(served):
    status, _out, err = run(served, "set", stdin=bytes(clipboard.MAX_SIZE + 1))
    assert status == 1
    assert err == "litterbox: litterbox-clipboard: there are more than 16,777,216 bytes, which is the limit\n"
    assert served.received == []


def test_the_bounds_are_those_of_the_host():
    assert clipboard.MAX_SIZE == selections.MAX_SIZE


@pytest.mark.parametrize("pieces", [[b""], [b"hello"], [b"\xff\0", b"", b"\n"], [os.urandom(messages.CHUNK)] * 64])
def test_get_writes_what_comes_byte_for_byte(served, pieces):
    served.answers = [data(piece, more=index < len(pieces)) for index, piece in enumerate(pieces, start=1)]
    status, out, err = run(served, "get", "--type", "image/png", "-p")
    assert (status, err) == (0, "")
    assert hashlib.sha256(out).digest() == hashlib.sha256(b"".join(pieces)).digest()
    assert served.received[1:] == [ClipboardGet(mime_type="image/png", primary=True)]


@pytest.mark.parametrize("verb", ["get", "set"])
def test_a_refusal_is_a_sentence_and_status_1(served, verb):
    served.answers = [encode(Error(reason="the user said no"), raw=True)]
    assert run(served, verb) == (1, b"", "litterbox: the user said no\n")


@pytest.mark.parametrize("answer", [{"type": "ack"}, {"type": "clipboard_data", "mime_type": "a/b"}])
def test_an_answer_that_is_none_is_a_failure(served, answer):
    served.answers = [wire.encode(answer)]
    assert run(served, "get") == (1, b"", "litterbox: the host sent what cannot be read\n")


def test_a_reader_that_goes_away_ends_it_quietly(served):
    served.answers = [data(bytes(messages.CHUNK), more=True)] * 8
    with start(served.environment, "get") as child:
        assert child.stdout.read(10) == bytes(10)
        child.stdout.close()
        child.stdout = None
        assert child.stderr.read() == b""
    assert child.returncode == -13  # SIGPIPE, as of any filter


def test_a_disk_that_is_full_is_a_sentence(served):
    served.answers = [data(b"hello")]
    with open("/dev/full", "wb") as full, start(served.environment, "get", stdout=full) as child:
        err = child.communicate(timeout=30)[1]
    assert child.returncode == 1
    assert err == b"litterbox: litterbox-clipboard: standard output cannot be written: No space left on device\n"


def test_without_a_host_there_is_a_sentence(tmp_path):
    with start({"XDG_RUNTIME_DIR": str(tmp_path), "LITTERBOX_NAME": "work"}, "get") as child:
        _out, err = child.communicate(timeout=30)
    assert (child.returncode, err) == (1, b"litterbox: the host does not answer: No such file or directory\n")


@pytest.mark.parametrize(
    "words",
    [[], ["get", "set"], ["get", "get"], ["put"], ["get", "--nothing"], ["get", "-t"], ["set", "--primary=1"],
     ["get", "--", "x"], ["get", "file"]],
)  # fmt: skip
def test_a_command_line_that_cannot_be_is_status_2(words):
    with pytest.raises(GuestError) as caught:
        clipboard.main(words)
    assert caught.value.status == 2
    assert caught.value.sentence.startswith("litterbox-clipboard: ")


def test_help_needs_no_host(capfd, monkeypatch):
    monkeypatch.setattr(clipboard, "Host", None)
    assert clipboard.main(["get", "--help"]) == 0
    assert "--primary" in capfd.readouterr().out


def test_it_starts_without_what_is_slow_to_import(served):
    code = f"{PROGRAM.replace('sys.exit(', 'print(').rstrip(')')})); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-SsE", "-c", code, "set"], input=b"x", env=served.environment,
                          capture_output=True, check=True)  # fmt: skip
    loaded = set(done.stdout.decode().split())
    assert "litterbox_guest.interceptors.clipboard" in loaded
    assert loaded.isdisjoint({"trio", "attrs", "attr", "typing", "argparse", "socket", "signal", "cattrs"})
