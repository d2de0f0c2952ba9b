"""One connection of a box to the host socket, without I/O: bytes to messages, and replies to bytes.

Feed a `BoxConnection` with `receive_data`, and take what the client says with `next_event` until it returns NEED_DATA.
An event is one of three things:

* a `Hello`: answer it with what `greet` returns;
* another message of `litterbox_guest.messages`, which comes only after a hello: carry it out;
* a `Rejected`: the client sent something that is not a valid message. Answer with its `reply`, and close the
  connection where `closes` says so.

`send` makes the bytes of a reply. What a client can do wrong is a `Rejected` or raises wire.FrameTooLarge, after which
the stream cannot be read any more: close the connection. Any other exception is a bug of ours.

The connection remembers what its first hello was granted, the features that both sides know, and how many malformed
frames there were. It knows no sockets, no time, and no settings.
"""

from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import Final

import attrs

from litterbox.capabilities import replies
from litterbox.capabilities.replies import Error, Reply
from litterbox_guest import messages, wire
from litterbox_guest.messages import FEATURES, LINKS, STREAMS, GuestMessage, Hello, HelloAck

MAX_MALFORMED: Final = 5  # frames; the fifth one closes the connection
MAX_CAPABILITIES: Final = 64  # in a hello; as many features


class NeedData(Enum):
    """What `next_event` returns while no whole frame has come."""

    NEED_DATA = auto()


NEED_DATA: Final = NeedData.NEED_DATA


@attrs.frozen
class Rejected:
    """The client sent something that is not a valid message, or not at this time. `reply` says what is wrong.

    Where it `closes` the connection, there were MAX_MALFORMED frames that are not JSON objects.
    """

    reply: Error
    closes: bool = False


@attrs.define(eq=False)
class BoxConnection:
    """The state of one connection; the module's docstring describes how it is used."""

    accepted: frozenset[str] | None = attrs.field(default=None, init=False)  # capabilities; None before the hello
    features: frozenset[str] = attrs.field(default=frozenset(), init=False)
    _frames: wire.FrameReader = attrs.field(factory=wire.FrameReader, init=False)
    _malformed: int = attrs.field(default=0, init=False)
    _size_of_event: int = attrs.field(default=0, init=False)  # bytes of the frame that became the last event

    @property
    def unread(self) -> int:
        """How many bytes have not become an event yet."""
        return self._frames.unread

    @property
    def held(self) -> int:
        """How many bytes of its messages the host holds: those that are unread, and those of the last event."""
        return self._frames.unread + self._size_of_event

    @property
    def is_partial(self) -> bool:
        """Whether the unread bytes begin with a frame that is not complete."""
        return self._frames.is_partial

    @property
    def keeps_links(self) -> bool:
        """Whether the client keeps the links of the interceptors in the box."""
        return LINKS in self.features

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the socket. The caller handles the end of the stream, so `data` is never empty."""
        self._frames.receive_data(data)

    def next_event(self) -> GuestMessage | Rejected | NeedData:
        """Return the next event, or NEED_DATA. The event before it counts as answered.

        Raises wire.FrameTooLarge. Takes milliseconds at most, whatever the client sent.
        """
        self._size_of_event = 0
        before = self._frames.unread
        try:
            frame = self._frames.next_frame()
        except wire.MalformedFrame as error:
            self._malformed += 1
            return Rejected(Error(reason=str(error)), closes=self._malformed >= MAX_MALFORMED)
        if frame is None:
            return NEED_DATA
        self._size_of_event = before - self._frames.unread
        try:
            message = messages.from_guest(frame)
        except messages.BadMessage as error:
            return Rejected(Error(reason=str(error)))
        if isinstance(message, Hello):
            if len(message.capabilities) > MAX_CAPABILITIES or len(message.features or []) > MAX_CAPABILITIES:
                return Rejected(Error(reason=f"a hello names at most {MAX_CAPABILITIES} of each"))
        elif self.accepted is None:
            return Rejected(Error(reason="say hello first"))
        return message

    def greet(self, hello: Hello, granted: Collection[str], links: Sequence[str]) -> HelloAck:
        """Accept what `hello` asks for and the settings have `granted`. Returns the answer.

        A second hello is never granted more than the first one was. `links` are the names of host commands that have
        a link in the box. A client that speaks of no features gets an answer without any.
        """
        accepted = [name for name in hello.capabilities if name in granted]
        if self.accepted is None:
            self.accepted = frozenset(accepted)
        accepted = [name for name in accepted if name in self.accepted]
        features = None
        if hello.features is not None:
            features = [name for name in FEATURES if name in hello.features]
            self.features = frozenset(features)
        told = None
        if self.keeps_links:
            told = list(links) if "host_exec" in accepted else []
        return HelloAck(
            accepted=accepted,
            rejected=[name for name in hello.capabilities if name not in accepted],
            features=features,
            links=told,
        )

    def send(self, reply: Reply) -> bytes:
        """Return the bytes of `reply`, in the form that this client reads."""
        return replies.encode(reply, raw=STREAMS in self.features)
