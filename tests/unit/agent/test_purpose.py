"""What data to be signed is for: every way of being almost a login or a signature counts as neither."""

import attrs
import hypothesis.strategies as st
import pytest
from asyncssh.packet import Boolean, Byte, String
from hypothesis import given

from litterbox.agent.binding import Binding
from litterbox.agent.purpose import Contradiction, Login, Sshsig, Unrecognised, purpose

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
    algorithm: bytes = b"ssh-ed25519",
    rest: bytes = b"",
) -> bytes:
    fields = (String(session), Byte(number), String(user), String(service), String(method), signed)
    return b"".join((*fields, String(algorithm), String(key), rest))


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
    assert purpose(login(), KEY) == Login(SESSION, "git", "ssh-ed25519", None, hostbound=False)


def test_a_hostbound_login_says_its_server_too():
    data = login(method=b"publickey-hostbound-v00@openssh.com", rest=String(HOST_KEY))
    assert purpose(data, KEY) == Login(SESSION, "git", "ssh-ed25519", HOST_KEY, hostbound=True)


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
        login(algorithm=b"ssh-rsa"),
        login(algorithm=b"ssh-ed25519-cert-v01@openssh.com"),
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


RSA_KEY = String(b"ssh-rsa") + String(b"\1\0\1") + String(b"n" * 256)


@pytest.mark.parametrize("algorithm", [b"ssh-rsa", b"rsa-sha2-256", b"rsa-sha2-512"])
def test_an_rsa_key_signs_under_three_names(algorithm):
    assert isinstance(purpose(login(key=RSA_KEY, algorithm=algorithm), RSA_KEY), Login)


def hostbound(key: bytes = HOST_KEY, **changes: object) -> bytes:
    return login(method=b"publickey-hostbound-v00@openssh.com", rest=String(key), **changes)


SERVER = Binding(HOST_KEY, SESSION, forwarding=False)
HOP = Binding(KEY, b"f" * 32, forwarding=True)


@pytest.mark.parametrize("data", [login(), hostbound()])
def test_a_login_to_the_bound_server_is_proven(data):
    found = purpose(data, KEY, (SERVER,))
    assert found.bound
    assert found.host_key == HOST_KEY
    assert found.server == SERVER


def test_behind_a_hop_only_a_request_that_names_the_server_is_proven():
    assert purpose(hostbound(), KEY, (HOP, SERVER)).bound
    assert not purpose(login(), KEY, (HOP, SERVER)).bound


def test_where_a_far_client_does_not_bind_nothing_is_proven():
    found = purpose(hostbound(), KEY, (HOP,))
    assert not found.bound
    assert found.host_key == HOST_KEY


@pytest.mark.parametrize(
    ("data", "hops", "why"),
    [
        (login(session=b"x" * 32), (SERVER,), "another session"),
        (hostbound(KEY), (SERVER,), "another host key"),
        (hostbound(KEY), (HOP, SERVER), "another host key"),
        (login(session=b"f" * 32), (HOP,), "bound for forwarding"),
        (login(session=b"f" * 32), (HOP, SERVER), "bound for forwarding"),
    ],
)
def test_a_login_that_its_connection_speaks_against_is_a_contradiction(data, hops, why):
    found = purpose(data, KEY, hops)
    assert isinstance(found, Contradiction)
    assert why in found.reason
    assert found.login.user == "git"


def test_bindings_say_nothing_about_what_is_not_a_login():
    assert purpose(sshsig(), KEY, (SERVER,)) == Sshsig("git", "sha512")
    assert purpose(b"hello", KEY, (SERVER,)) == Unrecognised()


def test_a_host_that_shows_a_certificate_may_be_named_by_it_or_by_its_key():
    class Certificate:
        public_data = b"the certificate"

    certified = attrs.evolve(SERVER, certificate=Certificate())
    assert purpose(hostbound(b"the certificate"), KEY, (certified,)).bound
    assert purpose(hostbound(HOST_KEY), KEY, (certified,)).bound
