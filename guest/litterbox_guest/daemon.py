"""`/litterbox daemon`, the guest daemon: asks the host what the box may use, and makes links to those interceptors."""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Final

import attrs
import trio

from litterbox_guest import __version__, account, daemon_start, links, messages, wire
from litterbox_guest.account import Account
from litterbox_guest.interceptors import OF_CAPABILITY
from litterbox_guest.messages import HelloAck, HostMessage, Ping, Shutdown

IDLE_TIMEOUT: Final = 300.0  # seconds without a message, after which it ends
MAX_TRIES: Final = 3
RETRY_DELAY: Final = 0.5  # seconds
_ANSWER_TIMEOUT: Final = 10.0  # seconds that the host has for its hello_ack
_READ_SIZE: Final = 65536

_log = logging.getLogger(__name__)


class NoHost(Exception):
    """The host does not listen, or does not answer the hello. The message is for the log."""


def main(environment: Mapping[str, str], *, ready: int | None) -> int:
    """Run the guest daemon. Returns its exit status. Closes the descriptor `ready` when the links are made."""
    logging.basicConfig(level=logging.INFO, format="litterbox daemon: %(message)s")
    user = account.of_the_box(dict(environment))
    runtime = environment.get("XDG_RUNTIME_DIR", f"/run/user/{user.uid}")
    box = environment.get("LITTERBOX_NAME", "")
    warn_of_drift(environment.get("LITTERBOX_HOST_VERSION", ""))

    def prepare(ack: HelloAck) -> None:
        _prepare(ack, user)
        if ready is not None:
            os.close(ready)

    try:
        trio.run(serve, os.path.join(runtime, "litterbox", f"{box}.sock"), box, prepare)
    except (NoHost, OSError) as error:
        _log.error("%s", error)
        return 1
    return 0


def warn_of_drift(host_version: str) -> None:
    """Log a warning where the host has another version: the box keeps the runtime of its last start."""
    if host_version and host_version != __version__:
        _log.warning("this box runs Litterbox %s, the host %s; stop and enter the box anew", __version__, host_version)


async def serve(path: str, box: str, prepare: Callable[[HelloAck], None]) -> None:
    """Connect to the host socket at `path`, say hello, and call `prepare` with the answer. Returns when it should end.

    Raises NoHost.
    """
    host = _Host(await connect(path))
    async with host.stream:
        prepare(await host.greet(box))
        _log.info("ending: %s", await host.until_the_end())


async def connect(path: str) -> trio.SocketStream:
    """Connect to the host socket, in several tries. Raises NoHost."""
    for left in reversed(range(MAX_TRIES)):
        try:
            return await trio.open_unix_socket(path)
        except OSError as error:
            if not left:
                raise NoHost(f"the host does not answer at {path}: {error.strerror}") from error
        await trio.sleep(RETRY_DELAY)
    raise AssertionError


def _prepare(ack: HelloAck, user: Account) -> None:
    """Make the links and the PATH files as root of the box, and then drop root for good."""
    links.install(daemon_start.INTERCEPTORS, links.names(ack.accepted, ack.links or []))
    links.write_path_files(daemon_start.INTERCEPTORS)
    daemon_start.note_links()
    user.assume()


@attrs.frozen
class _Host:
    """The connection to the host."""

    stream: trio.SocketStream
    frames: wire.FrameReader = attrs.field(factory=wire.FrameReader)

    async def greet(self, box: str) -> HelloAck:
        hello: dict[str, object] = {"type": "hello", "version": __version__, "container": box}
        try:
            await self.stream.send_all(
                wire.encode({**hello, "capabilities": list(OF_CAPABILITY), "features": [messages.LINKS]})
            )
        except trio.BrokenResourceError as error:
            raise NoHost("the host hung up") from error
        with trio.move_on_after(_ANSWER_TIMEOUT):
            answer = await self._next()
            if isinstance(answer, HelloAck):
                return answer
        raise NoHost("the host does not answer the hello")

    async def until_the_end(self) -> str:
        """Wait until the guest daemon should end. Returns the reason for the log."""
        while True:
            with trio.move_on_after(IDLE_TIMEOUT):
                match await self._next():
                    case None:
                        return "the host hung up"
                    case Shutdown():
                        return "the host asked for it"
                    case Ping() | HelloAck():
                        continue
            return "nothing to do"

    async def _next(self) -> HostMessage | None:
        """Return the next message, None when there will be no more. Skips messages that this version does not know."""
        try:
            while True:
                frame = self.frames.next_frame()
                if frame is not None:
                    try:
                        return messages.from_host(frame)
                    except (messages.UnknownMessage, messages.InvalidMessage) as error:
                        _log.warning("skipped: %s", error)
                        continue
                data = await self.stream.receive_some(_READ_SIZE)
                self.frames.receive_data(bytes(data))
                if not data:
                    return None
        except (trio.BrokenResourceError, wire.FrameTooLarge, wire.MalformedFrame, wire.Truncated) as error:
            _log.warning("the connection to the host broke: %s", error)
            return None
