"""Clients that ask every listener again and again, beside a hostile one, and must be answered all the time."""

import contextlib
import json
import threading
from collections.abc import Iterator

import attrs
from asyncssh.packet import Byte, String

from litterbox.control import client
from litterbox_guest import wire
from support.box_clients import send, to_agent, to_host, wait_until

QUERY = String(Byte(27) + String("query"))
PING = wire.encode({"type": "ping"})


@attrs.define
class Honest:
    """Clients that ask again and again, beside a hostile one; counts their answers."""

    answers: int = 0
    stop: threading.Event = attrs.field(factory=threading.Event)
    wrong: list[object] = attrs.field(factory=list)

    def run(self) -> None:
        try:
            with to_agent() as agent, to_host() as host:
                while not self.stop.is_set():
                    self.check(send(agent, QUERY)[:1], b"\x1d")
                    self.check(json.loads(send(host, PING)), {"type": "ack"})
                    self.check(client.ask("work", {"request": "status"})["done"], "status")
                    self.answers += 1
        except Exception as error:  # noqa: BLE001 - of another thread, for the test to see
            self.wrong.append(error)

    def check(self, got: object, expected: object) -> None:
        if got != expected:
            self.wrong.append(got)


@contextlib.contextmanager
def beside_honest_clients() -> Iterator[Honest]:
    """They are answered before the block, all through it, and after it."""
    honest = Honest()
    thread = threading.Thread(target=honest.run)
    thread.start()
    try:
        wait_until(lambda: honest.answers or honest.wrong)
        yield honest
        answers = honest.answers
        wait_until(lambda: honest.answers > answers + 1 or honest.wrong)
    finally:
        honest.stop.set()
        thread.join()
    assert honest.wrong == []
