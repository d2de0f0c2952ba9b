"""A hand-made SSH client: a real key exchange, then one login request of which a test writes every byte."""

import socket
import threading
from collections.abc import Callable

import attrs
import paramiko
from asyncssh.packet import Byte, SSHPacket, String, UInt32
from paramiko.auth_handler import AuthHandler

_LONG_ENOUGH = 20.0  # seconds
_HOSTBOUND = "publickey-hostbound-v00@openssh.com"


@attrs.frozen(kw_only=True)
class Disguise:
    """A login request: what it says of itself, and which key the agent is asked to sign it with."""

    key: bytes
    algorithm: str
    signs: bytes
    user: bytes
    signed: int = 1
    flags: int = 0

    def log_in(self, port: int, agent: str) -> bool:
        """Log in to the server on `port` with a signature of the agent at the path `agent`; whether it succeeds."""
        with socket.create_connection(("127.0.0.1", port)) as connection:
            transport = paramiko.Transport(connection)
            try:
                transport.start_client(timeout=_LONG_ENOUGH)
                host_key = transport.get_remote_server_key().asbytes()
                handler = _Handler(transport, lambda: self._request(transport.session_id, host_key, agent))
                transport.auth_handler = handler
                handler.begin()
                return transport.is_authenticated()
            finally:
                transport.close()

    def _request(self, session_id: bytes, host_key: bytes, agent: str) -> bytes:
        fields = [Byte(50), String(self.user), String("ssh-connection"), String(_HOSTBOUND), Byte(self.signed)]
        request = b"".join([*fields, String(self.algorithm), String(self.key), String(host_key)])
        return request + String(_signature(agent, self.signs, String(session_id) + request, self.flags))


class _Handler(AuthHandler):
    def __init__(self, transport: paramiko.Transport, request: Callable[[], bytes]) -> None:
        super().__init__(transport)
        self._request = request

    def begin(self) -> None:
        self.auth_event = threading.Event()
        self.auth_method = "publickey"
        self._request_auth()
        assert self.auth_event.wait(_LONG_ENOUGH)

    def _parse_service_accept(self, _message: paramiko.Message) -> None:
        self.transport._send_message(paramiko.Message(self._request()))


def _signature(agent: str, key: bytes, data: bytes, flags: int) -> bytes:
    """What the agent signs; nothing where it refuses."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_LONG_ENOUGH)
        connection.connect(agent)
        connection.sendall(String(Byte(13) + String(key) + String(data) + UInt32(flags)))
        with connection.makefile("rb") as answers:
            answer = SSHPacket(answers.read(int.from_bytes(answers.read(4), "big")))
    return answer.get_string() if answer.get_byte() == 14 else b""
