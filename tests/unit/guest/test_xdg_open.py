"""xdg-open's command line and exit codes, as xdg-open(1) has them, and the message it sends."""

import os
import subprocess
import sys

import pytest

from litterbox_guest import messages, wire
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors import xdg_open
from litterbox_guest.interceptors.host import Host as RealHost
from litterbox_guest.messages import XdgOpen


class Host:
    """Takes what is sent, and answers as a host does."""

    sent: list[XdgOpen]

    def __init__(self, capability, failed):
        assert (capability, failed) == ("xdg_open", 4)

    def request(self, message):
        Host.sent.append(messages.from_guest(message))
        return {"type": "ack"}


@pytest.fixture(autouse=True)
def host(monkeypatch, tmp_path):
    monkeypatch.setattr(xdg_open, "Host", Host)
    monkeypatch.setattr(Host, "sent", [], raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file#1").touch()


@pytest.mark.parametrize("word", ["https://example.org/?a=b#c", "MAILTO:a@b", "x-y.z+1:", "https://a b", "\udcff:x:y"])
def test_what_has_a_scheme_is_the_hosts_to_judge(word):
    if word.startswith("\udcff"):
        with pytest.raises(GuestError):
            xdg_open.main([word])
    else:
        assert xdg_open.main([word]) == 0
        assert Host.sent == [XdgOpen(uri=word)]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("a file#1", 4),
        ("./a file#1", 4),
        ("/", 4),
        ("file:///", 4),
        ("file:/", 4),
        ("FILE://localhost/etc", 4),
        ("file:///etc/pass%77d", 4),
        ("file:///etc/passwd?x#y", 4),
        ("none", 2),
        ("/none", 2),
        ("file:///none", 2),
        ("file:///%zz%0", 2),
        ("file:///%00", 2),
        ("1a:b", 2),
        ("\udcff", 2),
    ],
)
def test_a_file_is_refused_and_whether_it_is_there_told_apart(word, status):
    with pytest.raises(GuestError) as caught:
        xdg_open.main([word])
    assert caught.value.status == status
    assert caught.value.sentence.startswith(f"xdg-open: {word}: ")
    assert ("cannot be opened on the host" in caught.value.sentence) == (status == 4)
    assert Host.sent == []


@pytest.mark.parametrize("words", [["-x"], ["--"], ["https://a.example", "-x"], ["https://a.example", "b"], ["-"]])
def test_a_command_line_that_cannot_be_is_status_1(words):
    with pytest.raises(GuestError) as caught:
        xdg_open.main(words)
    assert caught.value.status == 1
    assert caught.value.sentence.startswith("xdg-open: unexpected ")
    assert Host.sent == []


@pytest.mark.parametrize("words", [[], [""]])
def test_without_a_word_the_usage_is_printed(words, capfd):
    assert xdg_open.main(words) == 1
    assert "Synopsis" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("word", "printed"), [("--help", "Synopsis"), ("--manual", "Exit Codes"), ("--version", "xdg-open of Litterbox")]
)
def test_help_manual_and_version_need_no_host(word, printed, capfd, monkeypatch):
    monkeypatch.setattr(xdg_open, "Host", None)
    assert xdg_open.main(["https://a.example", word]) == 0
    assert printed in capfd.readouterr().out


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({}, 4),
        ({"status": 3}, 3),
        ({"status": 0}, 4),
        ({"status": 256}, 4),
        ({"status": "3"}, 4),
        ({"status": None}, 4),
    ],
)
def test_the_status_is_the_hosts_where_it_names_one(monkeypatch, answer, status):
    ours, theirs = __import__("socket").socketpair()
    with ours, theirs:
        host = RealHost.__new__(RealHost)
        host.failed, host.refused, host.frames, host.socket = 4, 4, wire.FrameReader(), ours
        monkeypatch.setattr(xdg_open, "Host", lambda _capability, failed: host)
        theirs.sendall(wire.encode({"type": "error", "reason": "no", **answer}))
        with pytest.raises(GuestError) as caught:
            xdg_open.main(["https://example.org"])
    assert (caught.value.sentence, caught.value.status) == ("no", status)


def test_without_a_host_the_action_failed(monkeypatch):
    monkeypatch.setattr(xdg_open, "Host", RealHost)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    with pytest.raises(GuestError, match="does not answer") as caught:
        xdg_open.main(["https://example.org"])
    assert caught.value.status == 4


def test_it_starts_without_what_is_slow_to_import():
    code = (
        "import sys; sys.argv = ['xdg-open', '--version']; from litterbox_guest import main; main.main(sys.argv);"
        "print(*sys.modules)"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-SsE", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
                          env=environment, capture_output=True, text=True, check=True)  # fmt: skip
    loaded = set(done.stdout.split())
    assert "litterbox_guest.interceptors.xdg_open" in loaded
    assert loaded.isdisjoint(
        {"trio", "attrs", "attr", "typing", "argparse", "socket", "cattrs", "urllib", "urllib.parse"}
    )
