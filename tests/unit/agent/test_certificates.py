"""Certificates: what is one, what it says, and whom an authority vouches for, however its key is written."""

import asyncssh
import hypothesis.strategies as st
import pytest
from asyncssh.packet import MPInt, SSHPacket, String, UInt32, UInt64
from hypothesis import given
from support.certificates import AUTHORITY, HOST_CERTIFICATE, certificate, make_certificate

from litterbox.agent import binding
from litterbox.agent.binding import BindingError, SessionBind
from litterbox.agent.certificates import (
    MAX_OPTIONS,
    MAX_PRINCIPALS,
    MAX_WILDCARDS,
    USER,
    BadCertificate,
    certifies,
    decode,
    is_certificate,
    read,
    verify,
)

KEYS = [
    asyncssh.generate_private_key(kind)
    for kind in ("ssh-ed25519", "ssh-ed448", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "ssh-rsa", "ssh-dss")
]
HOST = asyncssh.generate_private_key("ssh-ed25519")
RSA_AUTHORITY = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
KEY, CA = KEYS[0], asyncssh.generate_private_key("ssh-ed25519")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.get_algorithm())
def test_a_certificate_for_each_type_of_key_is_read(key):
    made = CA.generate_user_certificate(key, "laptop", principals=["me", "root"], valid_before="20300101")
    said = decode(made.public_data)
    assert is_certificate(made.public_data)
    assert (said.plain_key, said.authority) == (key.public_data, CA.public_data)
    assert (said.kind, said.key_id, said.principals) == (USER, "laptop", ("me", "root"))
    assert not said.critical_options


def test_options_that_are_not_known_are_kept():
    said = decode(make_certificate(KEY, CA, critical=["verify-required", "teleport@example.org"]))
    assert said.critical_options == (b"verify-required", b"teleport@example.org")


def test_a_certificate_is_read_without_a_look_at_its_signature_and_verified_with_one():
    blob = make_certificate(KEY, CA)
    forged = blob[:-1] + bytes([blob[-1] ^ 1])
    assert read(forged).plain_key == KEY.public_data
    with pytest.raises(BadCertificate, match="did not sign"):
        verify(read(forged))


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        KEY.public_data,
        String("ssh-ed25519-cert-v01@openssh.com") + String(b"none"),
        String("teleport-cert-v01@openssh.com") + make_certificate(KEY, CA)[36:],
        make_certificate(KEY, CA) + b"more",
        make_certificate(KEY, CA, principals=["a"] * (MAX_PRINCIPALS + 1)),
        make_certificate(KEY, CA, critical=["a"] * (MAX_OPTIONS + 1)),
        make_certificate(KEY, CA, tail=String("without a value")),
        make_certificate(KEY, CA, tail=b"\0\0"),
    ],
)
def test_what_is_not_a_certificate_does_not_parse(blob):
    with pytest.raises(BadCertificate):
        read(blob)


def test_a_certificate_is_for_a_user_or_a_host():
    with pytest.raises(BadCertificate, match="neither"):
        decode(make_certificate(KEY, CA, role=3))


def test_an_authority_may_not_be_a_key_that_openssh_would_not_use():
    tiny = String("ssh-rsa") + String(b"\3") + String(b"\7")
    with pytest.raises(BadCertificate, match="RSA"):
        verify(read(make_certificate(KEY, CA).replace(String(CA.public_data), String(tiny))))


@pytest.mark.parametrize(
    ("changes", "good"),
    [
        ({"principals": ["a.example.org"]}, True),
        ({"principals": ["*.example.org"]}, True),
        ({"principals": ["*.example.org", *["x*"] * (MAX_WILDCARDS - 1)]}, True),
        ({"principals": ["*.example.org", *["x*"] * MAX_WILDCARDS]}, False),
        ({"principals": ["a.example.org", *["x*"] * MAX_WILDCARDS]}, True),
        ({"principals": ["b.example.org"]}, False),
        ({"principals": []}, False),
        ({"principals": ["a.example.org"], "critical": ["teleport"]}, False),
        ({"principals": ["a.example.org"], "role": 1}, False),
    ],
)
def test_which_hosts_it_is_good_for(changes, good):
    said = decode(make_certificate(KEY, CA, **{"role": HOST_CERTIFICATE, **changes}))
    assert certifies(said, CA.public_data, "a.example.org") is good
    assert not certifies(said, KEY.public_data, "a.example.org")


@given(
    st.binary(max_size=200)
    | st.lists(st.binary(max_size=40), max_size=16).map(
        lambda rest: String("ssh-ed25519-cert-v01@openssh.com") + b"".join(map(String, rest))
    )
    | st.binary(max_size=200).map(lambda rest: certificate(HOST.public_data)[:100] + rest)
)
def test_any_bytes_are_refused_in_the_one_documented_way(blob):
    with pytest.raises(BadCertificate):
        decode(blob)


def rsa_signed(*, zeros: int, algorithm: bytes) -> bytes:
    """A host's certificate whose authority's modulus has `zeros` more bytes than it needs."""
    packet = SSHPacket(RSA_AUTHORITY.public_data)
    packet.get_string()
    exponent, modulus = packet.get_mpint(), packet.get_mpint()
    authority = String(b"ssh-rsa") + MPInt(exponent) + String(b"\0" * zeros + MPInt(modulus)[4:])
    body = String(b"ssh-ed25519-cert-v01@openssh.com") + String(b"n" * 32) + String(HOST.public_data[-32:])
    body += UInt64(1) + UInt32(2) + String("id") + String(String("host.example")) + UInt64(0) + UInt64(2**64 - 1)
    body += String(b"") * 3 + String(authority)
    return body + String(RSA_AUTHORITY.sign(body, algorithm))


@pytest.mark.parametrize("zeros", [0, 1, 300])
def test_an_authority_is_known_however_its_key_is_written(zeros):
    found = decode(rsa_signed(zeros=zeros, algorithm=b"rsa-sha2-256"))
    assert certifies(found, RSA_AUTHORITY.public_data, "host.example")
    assert not certifies(found, RSA_AUTHORITY.public_data, "other.example")
    assert not certifies(found, AUTHORITY.public_data, "host.example")


@pytest.mark.parametrize("zeros", [0, 300])
def test_an_authority_that_signs_with_sha_1_vouches_for_nobody(zeros):
    found = decode(rsa_signed(zeros=zeros, algorithm=b"ssh-rsa"))
    assert not certifies(found, RSA_AUTHORITY.public_data, "host.example")


def test_text_that_is_not_utf_8_is_read_too():
    assert read(certificate(HOST.public_data, key_id=b"\xff")).key_id == "\udcff"


def test_the_reason_why_a_host_key_is_none_holds_nothing_of_the_clients():
    request = SessionBind(String(b'x" is fine.\n\x1b[31m'), b"s" * 32, b"", forwarding=False)
    with pytest.raises(BindingError) as caught:
        binding.verify(request)
    assert "is fine" not in caught.value.sentence
    assert caught.value.sentence.isprintable()


def test_an_authority_that_is_padded_is_in_its_shortest_form():
    assert read(rsa_signed(zeros=9, algorithm=b"rsa-sha2-256")).authority == RSA_AUTHORITY.public_data
