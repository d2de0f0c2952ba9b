"""docs/protocol.md is enough to write a client from: one that was written from it alone talks to the real server."""

import ast
import os
import re

import attrs
import pytest
import trio
from support import protocol_client
from support.protocol_client import CHUNK, Client

from litterbox import paths, sessions
from litterbox.audit import AuditLog
from litterbox.capabilities import selections
from litterbox.capabilities.host_exec import allowed
from litterbox.capabilities.host_exec.commands import open_host_commands
from litterbox.capabilities.notify import Notifications
from litterbox.capabilities.policy import Policy
from litterbox.capabilities.replies import Reply
from litterbox.capabilities.requests import Requests
from litterbox.capabilities.server import GuestDaemons, serve_capabilities
from litterbox.capabilities.xdg_open import link
from litterbox.confirm.question import Answer
from litterbox.control import messages as control_messages
from litterbox.daemon import requests as control_requests
from litterbox.daemon.sockets import open_unix_listener
from litterbox.limits import MAX_CONNECTIONS, MAX_SMALL_MESSAGE
from litterbox_guest import wire
from litterbox_guest.messages import GuestMessage, Notify

PAGE = os.path.join(os.path.dirname(__file__), "../../../docs/protocol.md")
SETTINGS = """
notify = true
clipboard = false
host_exec = true
commands.cat.program = "/bin/cat"
commands.sh.program = "/bin/sh"
"""
FEATURES = [{}, {"features": []}, {"features": ["streams"]}]


@attrs.define
class Desktop:
    shown: list[Notify] = attrs.field(factory=list)

    async def notify(self, notice, tell_id):
        self.shown.append(notice)
        await tell_id(5)
        return "yes" if notice.waits else None


@pytest.fixture
def desktop():
    return Desktop()


@pytest.fixture
def settings():
    os.makedirs(paths.definitions(), exist_ok=True)
    with open(paths.settings("work"), "w") as file:
        file.write(SETTINGS)


@pytest.fixture
async def talk(nursery, desktop, settings):
    """Has the client do what a test says, in a thread, at the socket of the box "work"."""

    async def declines(_question):
        return Answer.DECLINED

    with AuditLog("work") as audit:
        policy = Policy(box="work", ask=declines, audit=audit)
        path = paths.host_socket("work")
        async with (
            open_unix_listener(path) as listener,
            open_host_commands(policy, lambda: os.environ) as host_commands,
        ):
            requests = Requests(
                policy=policy,
                notifications=Notifications(policy=policy, notifier=desktop),
                links=None,
                clipboard=None,
                host_commands=host_commands,
            )
            await nursery.start(serve_capabilities, listener, requests, GuestDaemons())

            async def in_thread(script, features):
                def run():
                    with Client(path, ["notify", "clipboard", "host_exec"], **features) as client:
                        return script(client)

                with trio.fail_after(30):
                    return await trio.to_thread.run_sync(run, abandon_on_cancel=True)

            yield in_thread


def test_the_client_imports_nothing_of_ours_and_is_short():
    with open(protocol_client.__file__) as file:
        source = file.read()
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {alias.name for node in imports for alias in node.names} == {"base64", "json", "socket"}
    assert len(source.splitlines()) <= 60


@pytest.mark.parametrize("features", FEATURES)
async def test_it_shakes_hands(talk, features):
    granted = await talk(lambda client: client.granted, features)
    assert granted == {"type": "hello_ack", "accepted": ["notify", "host_exec"], "rejected": ["clipboard"], **features}


@pytest.mark.parametrize("features", FEATURES)
async def test_it_shows_a_notification_and_learns_what_was_chosen(talk, desktop, features):
    def script(client):
        client.say("notify", summary="Deploy?", actions=[{"key": "yes", "label": "Yes"}])
        return client.answer(), client.answer()

    assert await talk(script, features) == (
        {"type": "ack", "id": 5},
        {"type": "notify_action_result", "id": 5, "action": "yes"},
    )
    assert [notice.summary for notice in desktop.shown] == ["Deploy?"]


@pytest.mark.parametrize("features", FEATURES)
async def test_it_runs_a_host_command(talk, features):
    script = 'cat; printf "\\377" >&2; exit 3'
    answer = await talk(lambda client: client.run("sh", "-c", script, data="é".encode()), features)
    assert answer == (3, "é".encode(), b"\xff")


async def test_it_carries_more_input_than_a_window_and_gets_it_back(talk):
    data = os.urandom(5 * CHUNK + 1)
    assert await talk(lambda client: client.run("cat", data=data), {"features": ["streams"]}) == (0, data, b"")


async def test_it_is_told_why_a_command_does_not_run(talk):
    with pytest.raises(OSError, match="is not a command that the box may run"):
        await talk(lambda client: client.run("rm"), {})


@pytest.fixture
def page():
    with open(PAGE) as file:
        return file.read()


def test_the_page_names_every_message_and_every_field(page):
    words = set(re.findall(r"`([a-z_]+)`", page))
    kinds = [*GuestMessage.__args__, *Reply.__args__]
    named = {re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in kinds}
    fields = {field.name for kind in kinds for field in attrs.fields(kind)}
    assert named | fields <= words


def test_the_page_names_every_control_request(page):
    handlers = control_requests.Requests.handlers(object.__new__(control_requests.Requests))
    assert (
        {"request", *handlers}
        == set(  # and the head of the table
            re.findall(r"^\| `([a-z_]+)` \|[^|]*\|[^|]*\|$", page[page.index("## The control") :], re.MULTILINE)
        )
    )


@pytest.mark.parametrize(
    "bound",
    [
        wire.MAX_FRAME, wire.MAX_VALUES, wire.CHUNK, wire.STDIN_WINDOW, MAX_CONNECTIONS, MAX_SMALL_MESSAGE,
        link.MAX_LENGTH, selections.MAX_SIZE, allowed.MAX_ARGUMENTS_LENGTH, allowed.MAX_ARGUMENT_LENGTH + 1,
        control_messages.MAX_SIZE, sessions.SIZE,
    ],
)  # fmt: skip
def test_the_page_states_the_bounds_as_they_are(page, bound):
    assert f"{bound:,}" in page
