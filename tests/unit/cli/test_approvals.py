"""`litterbox approvals` against the answers of a daemon, which are the real requests' with a real dialog queue."""

import json
import os
from collections.abc import Callable, Sequence

import pytest
import trio
from click.testing import CliRunner, Result

from litterbox import paths
from litterbox.cli.approvals import command
from litterbox.confirm.question import Answer, Approval, Question
from litterbox.confirm.queue import DialogQueue, open_dialog_queue
from litterbox.confirm.said import MAX_APPROVED_WIDTH, Said, rendered
from litterbox.control import client, messages
from litterbox.daemon.requests import MAX_APPROVALS, Requests


@pytest.fixture(autouse=True)
def box() -> None:
    os.makedirs(os.path.dirname(paths.dockerfile("work")))
    with open(paths.dockerfile("work"), "w") as file:
        file.write("FROM scratch\n")


@pytest.fixture
def daemon(monkeypatch) -> Callable[..., None]:
    """Has the daemon of "work" run, with what a person allowed "for this session"; called with the approvals."""

    def start(*approvals: Approval) -> None:
        queue = trio.run(_asked, approvals)
        requests = Requests(
            "work",
            vault_key=None,
            stop=None,
            displays=None,
            container=None,
            watcher=None,
            dialogs=queue,
            settings_changed=None,
        ).handlers()

        def ask(_name: str, request: messages.Message) -> messages.Message:
            answer = trio.run(requests[request["request"]], request)
            return messages.decode(messages.encode(answer))

        monkeypatch.setattr(client, "ask", ask)

    return start


async def _asked(approvals: Sequence[Approval]) -> DialogQueue:
    async def yes(_question: Question) -> Answer:
        return Answer.APPROVED_SESSION

    async with open_dialog_queue(yes) as queue:
        for approval in approvals:
            request = repr(approval).encode()
            await queue.ask(Question(box="work", action="sign", fields=(), request=request, approval=approval))
    return queue


def run(*options: str) -> Result:
    return CliRunner().invoke(command, ["work", *options])


GITHUB = Approval("sign", "SHA256:a", "host key SHA256:b as git", "git on github.com")


def test_an_approval_is_a_row_of_request_key_and_destination(daemon):
    daemon(GITHUB)
    title, row = run().stdout.splitlines()
    assert title.split() == ["REQUEST", "KEY", "DESTINATION"]
    assert row.split(None, 2) == ["sign", "SHA256:a", "git on github.com"]


def test_json_is_for_scripts(daemon):
    daemon(GITHUB)
    assert json.loads(run("--json").stdout) == [
        {"request": "sign", "subject": "SHA256:a", "destination": "git on github.com"}
    ]


def test_forgetting_says_how_many_and_forgets_them(daemon):
    daemon(GITHUB, Approval("list", "", ""))
    assert run("--forget").stderr == "Forgot 2 approvals of work.\n"
    assert run("--forget").stderr == "Forgot 0 approvals of work.\n"
    assert run("--json").stdout == "[]\n"
    assert run().stderr == "Nothing is approved for this session of work.\n"


def test_what_the_box_had_a_hand_in_is_shown_harmless_and_short(daemon):
    daemon(Approval("sign", "SHA256:a", "x", f"\x1b[2J{'a' * 10_000}"))
    row = run().stdout.splitlines()[1]
    assert "\x1b" not in row
    assert len(row) < 300


def test_the_newest_are_told_of_where_there_are_more_than_fit(daemon):
    wide = "\N{OGHAM LETTER BEITH}\N{LINEAR B SYLLABLE B008 A}" * 200
    daemon(*(Approval("sign", wide, str(number), f"{number} {wide}") for number in range(MAX_APPROVALS + 5)))
    rows = json.loads(run("--json").stdout)
    assert [row["destination"].split()[0] for row in rows] == [str(number) for number in range(5, MAX_APPROVALS + 5)]


def test_there_is_room_for_the_longest_that_are_told_of(daemon):
    called = rendered((Said("\u1e01" * 10_000),), MAX_APPROVED_WIDTH)
    destination = rendered(("\u1e01" * 200, Said("\u1e01" * 10_000)), MAX_APPROVED_WIDTH)
    daemon(*(Approval("sign", "a", str(number), destination, called) for number in range(MAX_APPROVALS)))
    assert len(json.loads(run("--json").stdout)) == MAX_APPROVALS


def test_an_approval_shows_what_it_is_called_and_not_what_tells_it_apart(daemon):
    daemon(Approval("sign", 'x" raw', 'y" raw', "called", "key"))
    assert json.loads(run("--json").stdout) == [{"request": "sign", "subject": "key", "destination": "called"}]


def test_without_a_daemon_nothing_is_approved():
    assert run().stderr == "The daemon of work does not run: nothing is approved.\n"
    assert run("--json").stdout == "[]\n"
    assert run("--forget").stderr == "The daemon of work does not run: nothing is approved.\n"
