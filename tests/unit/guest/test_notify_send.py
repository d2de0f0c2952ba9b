"""notify-send's command line as libnotify reads it, and the messages it makes, which the host's converter reads."""

import os
import subprocess
import sys

import pytest

from litterbox_guest import messages
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors import notify_send
from litterbox_guest.messages import Action, Notify


class Host:
    """Takes what is sent, and answers as a host does."""

    sent: Notify

    def __init__(self, capability: str) -> None:
        assert capability == "notify"

    def request(self, message: dict[str, object]) -> dict[str, object]:
        Host.sent = messages.from_guest(message)
        return {"type": "ack", "id": 7}

    def receive(self) -> dict[str, object]:
        return {"type": "notify_action_result", "id": 7, "action": "yes" if Host.sent.actions else None}


@pytest.fixture(autouse=True)
def host(monkeypatch):
    monkeypatch.setattr(notify_send, "Host", Host)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["Done"], Notify(summary="Done")),
        (["Done", "all of it"], Notify(summary="Done", body="all of it")),
        (["Done", "-u", "low", "body"], Notify(summary="Done", body="body", urgency="low")),
        (["-ucritical", "Done"], Notify(summary="Done", urgency="critical")),
        (["--urgency=low", "--", "-Done-"], Notify(summary="-Done-", urgency="low")),
        (["-t", "5000", "Done"], Notify(summary="Done", timeout=5000)),
        (["--expire-time", "-1", "Done"], Notify(summary="Done", timeout=-1)),
        (["-a", "make", "-i", "dialog-ok", "Done"], Notify(summary="Done", app="make", icon="dialog-ok")),
        (["-r", "3", "Done"], Notify(summary="Done", replaces=3)),
        (["-we", "Done"], Notify(summary="Done", wait=True)),
        (["-h", "int:value:42", "-c", "im", "Done"], Notify(summary="Done")),
        (["-A", "yes=Yes, do", "-A", "No=way=", "-A", "third", "Sure?"], Notify(
            summary="Sure?",
            actions=[
                Action(key="yes", label="Yes, do"),
                Action(key="No", label="way="),
                Action(key="2", label="third"),
            ],
        )),
        (["-"], Notify(summary="-")),
    ],
)  # fmt: skip
def test_options_are_what_libnotify_takes(words, expected):
    assert notify_send.main(words) == 0
    assert Host.sent == expected


@pytest.mark.parametrize(
    ("words", "printed"),
    [(["x"], ""), (["-p", "x"], "7\n"), (["-A", "yes=Y", "x"], "yes\n"), (["-p", "-A", "yes=Y", "x"], "7\nyes\n"),
     (["-w", "x"], "")],
)  # fmt: skip
def test_the_id_and_the_chosen_action_are_printed(words, printed, capfd):
    notify_send.main(words)
    assert capfd.readouterr().out == printed


@pytest.mark.parametrize(
    "words",
    [[], ["a", "b", "c"], ["-u", "high", "x"], ["-u"], ["-z", "x"], ["--nothing", "x"], ["-t", "soon", "x"],
     ["-t", "99999999999", "x"], ["-t", "\u0663", "x"], ["--wait=1", "x"], ["-r", "1.5", "x"], ["-t", "--1", "x"]],
)  # fmt: skip
def test_a_command_line_that_cannot_be_is_refused_with_a_sentence(words):
    with pytest.raises(GuestError) as caught:
        notify_send.main(words)
    assert caught.value.status == 1
    assert caught.value.sentence.startswith("notify-send: ")


def test_help_and_version_need_no_host(capfd, monkeypatch):
    monkeypatch.setattr(notify_send, "Host", None)
    assert notify_send.main(["--help"]) == 0
    assert notify_send.main(["-v"]) == 0
    assert "--urgency" in capfd.readouterr().out


def test_it_starts_without_what_is_slow_to_import():
    code = (
        "import sys; sys.argv = ['notify-send', '--version']; from litterbox_guest import main; main.main(sys.argv);"
        "print(*sys.modules)"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-SsE", "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"],
                          env=environment, capture_output=True, text=True, check=True)  # fmt: skip
    loaded = set(done.stdout.split())
    assert "litterbox_guest.interceptors.notify_send" in loaded
    assert loaded.isdisjoint({"trio", "attrs", "attr", "typing", "argparse", "socket", "cattrs"})
