"""What data to be signed is for: what is shaped like a login is one, and refused where it cannot be understood."""

import attrs
import hypothesis.strategies as st
import pytest
from asyncssh.packet import Boolean, Byte, MPInt, String
from hypothesis import given
from support.certificates import certificate

from litterbox.agent.binding import Binding
from litterbox.agent.purpose import Contradiction, Login, Sshsig, Unclear, Unrecognised, purpose

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
    signed: bytes = b"\1",
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
    ("data", "why"),
    [
        (login(session=b""), "a session id of 0 bytes"),
        (login(session=b"s" * 31), "a session id of 31 bytes"),
        (login(service=b"ssh-userauth"), 'the service "ssh-userauth"'),
        (login(service=b'x" is fine\n'), r'the service "x\" is fine\n"'),
        (login(method=b"password"), 'its method is "password"'),
        (login(method=b"hostbased"), 'its method is "hostbased"'),
        (login(method=b"\xff"), r'its method is "\\xff"'),
        (login(signed=Boolean(False)), "it is not signed"),
        (login(algorithm=b"ssh-rsa"), 'its algorithm, "ssh-rsa", does not go with its key'),
        (login(algorithm=b"ssh-ed25519-cert-v01@openssh.com"), "does not go with its key"),
        (login(key=HOST_KEY), "its key is not of the key that would sign"),
        (login(key=b""), "its key cannot be read"),
        (login(key=KEY + b"\0"), "its key cannot be read"),
        (login(rest=b"\0"), "something follows it"),
        (login(rest=String(HOST_KEY)), "something follows it"),
        (login(method=b"publickey-hostbound-v00@openssh.com"), "it ends too early"),
        (login()[:-1], "it ends too early"),
        (String(SESSION) + Byte(50) + String("git"), "it ends too early"),
    ],
)
def test_what_is_almost_a_login_is_shown_as_one_and_not_understood(data, why):
    found = purpose(data, KEY)
    assert isinstance(found, Unclear)
    assert why in found.reason
    assert found.login.user == "git"


@pytest.mark.parametrize(
    "data", [login(number=51), b"", b"\xff\xff\xff\xff", b"hello", String(SESSION) + Byte(50) + b"\0\0\0\4git"]
)
def test_what_is_not_shaped_like_a_login_is_not_recognised(data):
    assert purpose(data, KEY) == Unrecognised()


@pytest.mark.parametrize("signed", [2, 128, 255])
def test_any_byte_but_zero_says_that_a_login_is_signed(signed):
    found = purpose(login(signed=Byte(signed)), KEY)
    assert isinstance(found, Login)
    assert str(signed) in found.oddity


def test_a_user_name_that_is_not_utf_8_is_a_user_name():
    found = purpose(login(user=b"andr\xe9"), KEY)
    assert found.user == "andr\udce9"
    assert found.oddity == "its user name is not UTF-8"


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


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=300))
def test_whatever_is_shaped_like_a_login_is_a_login(session, user, rest):
    found = purpose(String(session) + Byte(50) + String(user) + rest, KEY)
    assert isinstance(found, Login | Unclear)


RSA_KEY = String(b"ssh-rsa") + String(b"\1\0\1") + String(b"n" * 256)


@pytest.mark.parametrize("algorithm", [b"ssh-rsa", b"rsa-sha2-256", b"rsa-sha2-512"])
def test_an_rsa_key_signs_under_three_names(algorithm):
    assert isinstance(purpose(login(key=RSA_KEY, algorithm=algorithm), RSA_KEY), Login)


def hostbound(host_key: bytes = HOST_KEY, **changes: object) -> bytes:
    return login(method=b"publickey-hostbound-v00@openssh.com", rest=String(host_key), **changes)


def long_number(value: int, zeros: int = 2) -> bytes:
    """With more zeros before it than an MPInt has."""
    return String(b"\0" * zeros + value.to_bytes((value.bit_length() + 7) // 8, "big"))


RSA_E, RSA_N = 65537, int.from_bytes(b"\xcd" * 256, "big")
SHORTEST_RSA = String(b"ssh-rsa") + MPInt(RSA_E) + MPInt(RSA_N)


@pytest.mark.parametrize(
    "key",
    [
        String(b"ssh-rsa") + MPInt(RSA_E) + long_number(RSA_N),
        String(b"ssh-rsa") + long_number(RSA_E, 500) + MPInt(RSA_N),
    ],
)
def test_an_rsa_key_with_zeros_before_its_numbers_is_the_same_key(key):
    found = purpose(login(key=key, algorithm=b"rsa-sha2-256"), SHORTEST_RSA)
    assert isinstance(found, Login)
    assert "shortest form" in found.oddity
    assert isinstance(purpose(login(key=SHORTEST_RSA, algorithm=b"rsa-sha2-256"), SHORTEST_RSA), Login)


def test_another_rsa_key_is_another():
    other = String(b"ssh-rsa") + MPInt(RSA_E) + long_number(RSA_N + 2)
    assert isinstance(purpose(login(key=other, algorithm=b"rsa-sha2-256"), SHORTEST_RSA), Unclear)


CERTIFIED = b"ssh-ed25519-cert-v01@openssh.com"


def test_a_login_with_a_certificate_of_the_key_says_what_the_certificate_says():
    blob = certificate(KEY, key_id="me@corp", principals=("root", "deploy"))
    found = purpose(login(key=blob, algorithm=CERTIFIED), KEY)
    assert isinstance(found, Login)
    assert (found.certificate.key_id, found.certificate.principals) == ("me@corp", ("root", "deploy"))
    assert found.certificate_blob == blob
    assert found.algorithm == CERTIFIED.decode()


def test_a_certificate_may_be_the_key_that_is_asked_to_sign():
    blob = certificate(KEY)
    assert isinstance(purpose(login(key=blob, algorithm=CERTIFIED), blob), Login)
    assert isinstance(purpose(login(), blob), Login)


@pytest.mark.parametrize("algorithm", ["ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"])
def test_an_rsa_certificate_may_go_by_three_names(algorithm):
    blob = certificate(SHORTEST_RSA)
    data = login(key=blob, algorithm=f"{algorithm}-cert-v01@openssh.com".encode())
    assert isinstance(purpose(data, SHORTEST_RSA), Login)
    assert isinstance(purpose(login(key=blob, algorithm=algorithm.encode()), SHORTEST_RSA), Unclear)


@pytest.mark.parametrize(
    ("blob", "why"),
    [
        (certificate(HOST_KEY), "its certificate is not of the key that would sign"),
        (certificate(KEY, kind=2), "its certificate is not one for logins"),
        (certificate(KEY, kind=7), "its certificate is not one for logins"),
        (certificate(KEY)[:-1], "its key cannot be read"),
        (certificate(KEY) + b"\0", "its key cannot be read"),
        (certificate(KEY, principals=("x",) * 257), "its key cannot be read"),
    ],
)
def test_a_certificate_that_is_not_for_this_is_not_understood(blob, why):
    found = purpose(login(key=blob, algorithm=CERTIFIED), KEY)
    assert isinstance(found, Unclear)
    assert why in found.reason


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


DISGUISES = {
    "certificate": {"key": certificate(KEY), "algorithm": CERTIFIED},
    "two": {"signed": b"\2"},
    "255": {"signed": b"\xff"},
    "not UTF-8": {"user": b"\xe9"},
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_login_is_held_against_its_connection_like_any(disguise):
    changes = DISGUISES[disguise]
    assert purpose(login(**changes), KEY, (SERVER,)).bound
    assert isinstance(purpose(login(session=b"x" * 32, **changes), KEY, (SERVER,)), Contradiction)
    assert isinstance(purpose(hostbound(KEY, **changes), KEY, (SERVER,)), Contradiction)
    assert isinstance(purpose(login(session=b"f" * 32, **changes), KEY, (HOP, SERVER)), Contradiction)


def test_what_cannot_be_understood_names_the_server_that_it_is_bound_to():
    assert purpose(login(method=b"other"), KEY, (SERVER,)).login.host_key == HOST_KEY


def test_bindings_say_nothing_about_what_is_not_a_login():
    assert purpose(sshsig(), KEY, (SERVER,)) == Sshsig("git", "sha512")
    assert purpose(b"hello", KEY, (SERVER,)) == Unrecognised()


def test_a_host_that_shows_a_certificate_may_be_named_by_it_or_by_its_key():
    class Certificate:
        public_data = b"the certificate"

    certified = attrs.evolve(SERVER, certificate=Certificate())
    assert purpose(hostbound(b"the certificate"), KEY, (certified,)).bound
    assert purpose(hostbound(HOST_KEY), KEY, (certified,)).bound
