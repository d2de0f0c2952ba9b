"""A short connection of an interceptor to the host socket: says hello, sends a request, and receives the answers.

Every interceptor imports this module at its start, so it imports neither socket, trio, attrs nor typing.
"""

import errno
import os

from litterbox_guest import __version__, wire
from litterbox_guest.errors import GuestError

FAILED = 1
_MAX_STATUS = 255
_READ_SIZE = 65536

# Importing `socket` takes 5 ms, for its enums. The module below it has everything that is needed.
_socket = __import__("_socket")


class Refused(GuestError):
    """The host refused the request, cannot carry it out, or has gone. `sentence` says why."""


class Host:
    """A connection that has asked for `capability` and `features`. Raises Refused where the host cannot be reached.

    It does not check whether the capability was granted: the host then refuses the request with a reason, and logs it.
    `failed` is the exit status where the host cannot be reached or goes away. `refused` is that of a refusal for which
    the host names none; without it, `failed` is.
    """

    def __init__(
        self, capability: str, *, features: "tuple[str, ...]" = (), failed: int = FAILED, refused: "int | None" = None
    ) -> None:
        self.failed = failed
        self.refused = failed if refused is None else refused
        runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        box = os.environ.get("LITTERBOX_NAME", "")
        self.frames = wire.FrameReader()
        self.socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            self.socket.connect(f"{runtime}/litterbox/{box}.sock")
        except OSError as error:
            self.socket.close()
            raise self._gone(f"the host does not answer: {error.strerror}") from error
        hello: dict[str, object] = {"type": "hello", "version": __version__, "container": box}
        if features:
            hello["features"] = list(features)
        self.request({**hello, "capabilities": [capability]})

    def request(self, message: "dict[str, object]") -> "dict[str, object]":
        """Send a message and return the first answer. Raises Refused where that is an error."""
        self.send(message)
        return self.receive()

    def send(self, message: "dict[str, object]", data: "bytes | None" = None) -> None:
        """Send a message, with `data` behind it where it is given. Raises Refused."""
        try:
            self.socket.sendall(wire.encode(message, data))
        except wire.FrameTooLarge as error:
            raise self._gone("the request does not fit into one message") from error
        except OSError as error:
            raise self._gone(f"the host went away: {error.strerror or error}") from error

    def receive(self) -> "dict[str, object]":
        """Wait for the next answer. Raises Refused where it is an error, and where the host has gone.

        Raises TimeoutError where the socket has a timeout. Nothing is lost then, and the call can be repeated.
        """
        while True:
            try:
                frame = self.frames.next_frame()
                if frame is None:
                    data = self.socket.recv(_READ_SIZE)
                    if not data:
                        raise self._gone("the host went away")
                    self.frames.receive_data(data)
                    continue
            except TimeoutError:
                raise
            except OSError as error:
                raise self._gone(f"the host went away: {os.strerror(error.errno or errno.EIO)}") from error
            except (wire.FrameTooLarge, wire.MalformedFrame, wire.Truncated) as error:
                raise self._gone(f"the host sent what cannot be read: {error}") from error
            if frame.get("type") == "error":
                status = frame.get("status")
                if not isinstance(status, int) or not 0 < status <= _MAX_STATUS:
                    status = self.refused
                raise Refused(str(frame.get("reason", "no reason given")), status)
            return frame

    def _gone(self, reason: str) -> Refused:
        return Refused(reason, self.failed)
