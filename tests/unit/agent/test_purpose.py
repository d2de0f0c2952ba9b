"""What data to be signed is for: every way of being almost a login or a signature counts as neither."""

import hypothesis.strategies as st
import pytest
from asyncssh.packet import Boolean, Byte, String
from hypothesis import given

from litterbox.agent.purpose import Login, Sshsig, Unrecognised, purpose

KEY = String(b"ssh-ed25519") + String(b"k" * 32)
HOST_KEY = String(b"ssh-ed25519") + String(b"h" * 32)
SESSION = b"s" * 32


def login(
    *,
    session: bytes = SESSION,
    number: int = 50,
    user: bytes = b"git",
    service: bytes = b"ssh-connection",
    method: bytes = b"publickey",
    signed: bytes = Boolean(True),
    key: bytes = KEY,
    rest: bytes = b"",
) -> bytes:
    fields = (String(session), Byte(number), String(user), String(service), String(method), signed)
    return b"".join((*fields, String(b"ssh-ed25519"), String(key), rest))


def sshsig(
    *,
    magic: bytes = b"SSHSIG",
    namespace: bytes = b"git",
    algorithm: bytes = b"sha512",
    digest: bytes = b"d" * 64,
    rest: bytes = b"",
) -> bytes:
    return magic + String(namespace) + String(b"") + String(algorithm) + String(digest) + rest


def test_a_login_says_its_user():
    assert purpose(login(), KEY) == Login(SESSION, "git", "ssh-ed25519", None)


def test_a_hostbound_login_says_its_server_too():
    data = login(method=b"publickey-hostbound-v00@openssh.com", rest=String(HOST_KEY))
    assert purpose(data, KEY) == Login(SESSION, "git", "ssh-ed25519", HOST_KEY)


@pytest.mark.parametrize(
    "data",
    [
        login(session=b""),
        login(session=b"s" * 31),
        login(number=51),
        login(user=b"\xff"),
        login(service=b"ssh-userauth"),
        login(method=b"password"),
        login(signed=Boolean(False)),
        login(signed=b"\x02"),
        login(key=HOST_KEY),
        login(rest=b"\0"),
        login(rest=String(HOST_KEY)),
        login(method=b"publickey-hostbound-v00@openssh.com"),
        login()[:-1],
        b"",
        b"\xff\xff\xff\xff",
        b"hello",
    ],
)
def test_what_is_almost_a_login_is_not_recognised(data):
    assert purpose(data, KEY) == Unrecognised()


def test_a_signature_says_its_namespace():
    assert purpose(sshsig(), KEY) == Sshsig("git", "sha512")
    assert purpose(sshsig(algorithm=b"sha256", digest=b"d" * 32, namespace=b"file"), KEY) == Sshsig("file", "sha256")


@pytest.mark.parametrize(
    "data",
    [
        sshsig(magic=b"SSHSIg"),
        sshsig(namespace=b""),
        sshsig(namespace=b"\xff"),
        sshsig(algorithm=b"md5", digest=b"d" * 16),
        sshsig(digest=b"d" * 32),
        sshsig(rest=b"\0"),
        sshsig()[:-1],
        b"SSHSIG",
    ],
)
def test_what_is_almost_a_signature_is_not_recognised(data):
    assert purpose(data, KEY) == Unrecognised()


@given(st.binary() | st.binary().map(lambda tail: b"SSHSIG" + tail))
def test_any_bytes_have_a_purpose(data):
    purpose(data, KEY)


@given(st.integers(0, len(login()) - 1), st.integers(0, 255))
def test_no_two_logins_read_the_same(index, byte):
    data = bytearray(login())
    data[index] = byte
    assert data == login() or purpose(bytes(data), KEY) != purpose(login(), KEY)
