"""While the question about a host command is open: a signal withdraws it, everything else is kept for the command."""

import math

import pytest
import trio
import trio.testing

from litterbox.capabilities.client import Client
from litterbox.capabilities.host_exec.allowed import CommandRefused
from litterbox.capabilities.host_exec.early_messages import EarlyMessages, Withdrawn
from litterbox_guest.messages import BadMessage, HostExecResize, HostExecSignal, HostExecStdin

SIZE = HostExecResize(rows=1, columns=2)
STOP, GO_ON, INTERRUPT = (HostExecSignal(signal=name) for name in ("TSTP", "CONT", "INT"))
INPUT = HostExecStdin(data=b"x")


@pytest.fixture
def client():
    """A client that says what a test has it say."""
    says, heard = trio.open_memory_channel(math.inf)

    async def receive():
        message = await heard.receive()
        if message is None:
            raise BadMessage
        return message

    early = EarlyMessages(Client(peer=1, features=frozenset(), send=None, receive=receive))
    return early, says.send_nowait


async def approved():
    await trio.testing.wait_all_tasks_blocked()


async def test_a_signal_withdraws_the_question(client):
    early, says = client
    for message in (SIZE, STOP, GO_ON, INTERRUPT):
        says(message)
    with pytest.raises(Withdrawn, match="SIGINT") as caught:
        await early.listen_during(trio.sleep_forever)
    assert caught.value.status == 130


async def test_what_came_before_the_command_began_is_its_own_in_order(client):
    early, says = client
    for message in (STOP, None, SIZE, INPUT, INTERRUPT):
        says(message)
    assert await early.listen_during(approved) is None
    assert [await early.receive() for _ in range(4)] == [STOP, SIZE, INPUT, INTERRUPT]


async def test_a_client_that_says_too_much_is_heard_later(client):
    early, says = client
    for _ in range(100):
        says(SIZE)
    says(INTERRUPT)
    assert await early.listen_during(approved) is None
    assert [await early.receive() for _ in range(101)] == [SIZE] * 100 + [INTERRUPT]


async def test_the_decision_is_returned(client):
    async def decline():
        return "the user said no"

    assert await client[0].listen_during(decline) == "the user said no"


async def test_a_refusal_stays_one(client):
    async def refuse():
        raise CommandRefused("too long")

    with pytest.raises(CommandRefused):
        await client[0].listen_during(refuse)
