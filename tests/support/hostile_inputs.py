"""What a hostile program sends: messages to the agent, frames to the host socket, letters to the control socket.

Each asks for as much as it can, at and beyond the bounds of what a message may be.
"""

from asyncssh.packet import Boolean, Byte, String, UInt32, UInt64

from litterbox.agent.protocol import MAX_MESSAGE
from litterbox.control import messages
from litterbox_guest import wire
from support.box_clients import HELLO

BLOB = String("ssh-ed25519") + String(bytes(range(32)))

# Bodies of agent messages that ask for much, at and beyond the longest.
LOGIN = b"".join(
    (
        String(bytes(32)) + Byte(50) + String("root") + String("ssh-connection"),
        String("publickey-hostbound-v00@openssh.com") + Boolean(True) + String("ssh-ed25519"),
        String(BLOB) + String(BLOB),
    )
)
SIGN = Byte(13) + String(BLOB) + String(LOGIN) + UInt32(0)
REST_OF_MESSAGE = MAX_MESSAGE - 2000
HOP = String(String("a") + String("b") + String("")) * 2
# A host certificate with as many options as fit, and a host with as many keys.
CERTIFICATE = b"".join(
    (
        String("ssh-ed25519-cert-v01@openssh.com") + String(bytes(32)) * 2 + UInt64(1) + UInt32(2) + String("id"),
        String("") + UInt64(0) + UInt64(2**63) + String(bytes(4 * 55_000)) + String("") * 2 + String(BLOB),
        String(String("ssh-ed25519") + String(bytes(64))),
    )
)
EMPTY_HOP = String(String("") * 3)
MANY_KEYS = EMPTY_HOP + String(String("") + String("a") + String("") + (String(BLOB) + Byte(0)) * 4_000) + String("")
AGENT_MESSAGES = [
    Byte(13) + String(BLOB) + String(LOGIN[: -len(String(BLOB))] + String(CERTIFICATE)) + UInt32(0),
    Byte(25)
    + String("ssh-ed25519")
    + String(bytes(32))
    + String(bytes(64))
    + String("c")
    + (Byte(255) + String("restrict-destination-v00@openssh.com") + String(String(MANY_KEYS))),
    *(Byte(number) + b"\0" * size for number in (*range(1, 31), 255) for size in (0, 1, 4, 1000)),
    *(Byte(number) + b"\xff" * REST_OF_MESSAGE for number in (1, 11, 13, 17, 18, 19, 22, 23, 25, 27)),
    *(Byte(number) + b"\0" * REST_OF_MESSAGE for number in (1, 11, 13, 17, 18, 19, 22, 23, 25, 27)),
    SIGN,
    Byte(13) + String(BLOB) + String(LOGIN + b"x" * (REST_OF_MESSAGE - len(LOGIN) - 100)) + UInt32(0),
    Byte(13) + String(b"x" * 120_000) + String(b"SSHSIG" + String("n" * 120_000)) + UInt32(0),
    Byte(13) + String(BLOB) + String(LOGIN) + UInt32(2**32 - 1),
    Byte(27) + String("x" * REST_OF_MESSAGE),
    Byte(27) + String("session-bind@openssh.com") + String(String("x" * 1000) * 200),
    Byte(27) + String("session-bind@openssh.com") + String(BLOB) + String(bytes(100_000)) + String(BLOB) + Byte(0),
    Byte(25) + String("ssh-ed25519") + String(bytes(32)) + String(bytes(64)) + String("c" * 200_000) + Byte(2) * 20_000,
    Byte(25)
    + String("ssh-ed25519")
    + String(bytes(32))
    + String(bytes(64))
    + String("c")
    + (Byte(255) + String("restrict-destination-v00@openssh.com") + String(String(HOP) * 4_000)),
    Byte(22) + String("p" * REST_OF_MESSAGE),
]


def full(item: bytes, *, before: bytes, after: bytes) -> bytes:
    """A frame of the largest size, with as many of `item` as fit."""
    count = (wire.MAX_FRAME - len(before) - len(after)) // len(item)
    body = before + (item * count)[:-1] + after
    return len(body).to_bytes(4, "big") + body


def told(**message: object) -> bytes:
    return wire.encode(message)


LONG = wire.MAX_FRAME - 300
FRAMES = [
    *(
        full(item, before=b'{"type":"ping","x":[', after=b"]}")
        for item in (b"[],", b"{},", b"1e9,", b'"",', b'{"":[]},')
    ),
    full(b"[", before=b'{"type":"ping","x":', after=b"1"),
    full(b'{"a":', before=b'{"type":"ping","x":', after=b"1"),
    full(b"9", before=b'{"type":"ping","x":', after=b"}"),
    full(b"9" * 4300 + b",", before=b'{"type":"ping","x":[', after=b"]}"),
    full(b'"ab",', before=b'{"type":"host_exec","command":"echo","args":[', after=b"]}"),
    full(b'{"key":"","label":""},', before=b'{"type":"notify","summary":"x","actions":[', after=b"]}"),
    full(b'"ab",', before=b'{"type":"hello","version":"","container":"","capabilities":[', after=b"]}"),
    full(b"\xff", before=b'{"type":"', after=b'"}'),
    b"\0\0\0\1\0",
    told(**HELLO, capabilities=["x"] * 64),
    told(**HELLO, capabilities=["x"] * 19_000),
    told(**HELLO, capabilities=["x" * LONG]),
    told(type="notify", summary="x" * LONG),
    told(type="notify", summary="x", body="\n" * (LONG // 2)),
    told(type="notify", summary="\u202e" * (LONG // 6)),
    told(type="notify", summary="x", actions=[{"key": "k", "label": "l"}] * 5000),
    told(type="xdg_open", uri="https://example.org/" + "x" * LONG),
    told(type="xdg_open", uri="https://" + "a." * (LONG // 2)),
    told(type="xdg_open", uri="https://" + "\u0430" * (LONG // 6)),
    told(type="xdg_open", uri="mailto:" + "a@b.c," * (LONG // 6)),
    told(type="xdg_open", uri="https://example.org/" + "%41" * (LONG // 3)),
    told(type="clipboard_get", mime_type="text/" + "x" * LONG),
    told(type="clipboard_get", mime_type="/" * LONG),
    told(type="clipboard_set", mime_type="text/plain", data="x" * LONG),
    told(type="clipboard_set", mime_type="text/plain;" + "x=y;" * (LONG // 4), data="x"),
    told(type="host_exec", command="x" * LONG),
    told(type="host_exec", command="echo", args=["x" * LONG]),
    told(type="host_exec", command="echo", args=["'"] * 19_000),
    told(type="host_exec", command="echo", args=["'" * (LONG // 2)]),
    told(type="host_exec", command="here", working_dir="/home/user" + "/x" * (LONG // 2)),
    told(type="host_exec", command="here", working_dir="/home/user/" + "../" * (LONG // 3)),
    told(type="host_exec_stdin", data="x" * LONG),
    told(type="host_exec_signal", signal="x" * LONG),
    told(type="host_exec_resize", rows=10**4000, columns=-(10**4000)),
    told(type="x" * LONG),
    wire.encode({"type": "clipboard_set", "mime_type": "text/plain"}, b"x" * (LONG - 1000)),
    wire.encode({"type": "ping"}, b"x" * LONG),
]

LETTERS = [
    b"\xff" * 100,
    b"no name\0",
    b"cut=off",
    b"x" * (messages.MAX_SIZE + 1),
    b"a=" * (messages.MAX_SIZE // 2),
    b"a=\0" * (messages.MAX_SIZE // 3),
    b"request=" + b"x" * 60_000 + b"\0",
    b"request=vault_key\0key=" + b"f" * 60_000 + b"\0",
    b"request=enter\0DISPLAY=" + b":" * 60_000 + b"\0",
]
