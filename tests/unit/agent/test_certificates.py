"""Certificates: what they say, and whom an authority vouches for, however its key is written."""

import contextlib

import asyncssh
import hypothesis.strategies as st
import pytest
from asyncssh.packet import MPInt, PacketDecodeError, SSHPacket, String, UInt32, UInt64
from hypothesis import given
from support.certificates import AUTHORITY, certificate

from litterbox.agent import certificates, public_keys
from litterbox.agent.binding import BindingError, Bindings, SessionBind

HOST = asyncssh.generate_private_key("ssh-ed25519")
RSA_AUTHORITY = asyncssh.generate_private_key("ssh-rsa", key_size=2048)


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
    found = certificates.decode(rsa_signed(zeros=zeros, algorithm=b"rsa-sha2-256"))
    assert certificates.certifies(found, RSA_AUTHORITY.public_data, "host.example")
    assert not certificates.certifies(found, RSA_AUTHORITY.public_data, "other.example")
    assert not certificates.certifies(found, AUTHORITY.public_data, "host.example")


@pytest.mark.parametrize("zeros", [0, 300])
def test_an_authority_that_signs_with_sha_1_vouches_for_nobody(zeros):
    found = certificates.decode(rsa_signed(zeros=zeros, algorithm=b"ssh-rsa"))
    assert not certificates.certifies(found, RSA_AUTHORITY.public_data, "host.example")


@pytest.mark.parametrize(
    "kind",
    [
        "ssh-ed25519",
        "ssh-ed448",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
    ],
)
def test_what_a_certificate_says_is_read_as_asyncssh_reads_it(kind):
    key = asyncssh.generate_private_key(kind)
    authority = asyncssh.generate_private_key("ecdsa-sha2-nistp256")
    blob = authority.generate_user_certificate(key, "me@corp", principals=["a", "b"]).public_data
    said = certificates.read(blob)
    assert said.plain_key == key.public_data
    assert (said.kind, said.key_id, said.principals) == (certificates.USER, "me@corp", ("a", "b"))
    assert said.authority == authority.public_data


def test_a_certificate_with_options_that_nobody_knows_says_what_it_says():
    unknown = certificate(HOST.public_data, options=String("other-command") + String(""))
    with pytest.raises(certificates.BadCertificate):
        certificates.decode(unknown)
    assert certificates.read(unknown).key_id == "me"


def test_text_that_is_not_utf_8_is_read_too():
    assert certificates.read(certificate(HOST.public_data, key_id=b"\xff")).key_id == "\udcff"


def test_the_reason_why_a_host_key_is_none_quotes_what_is_the_clients():
    request = SessionBind(String(b'x" is fine.\n\x1b[31m'), b"s" * 32, b"", forwarding=False)
    with pytest.raises(BindingError) as caught:
        Bindings().bind(request)
    assert r"x\" is fine.\n\x1b[31m" in caught.value.sentence
    assert caught.value.sentence.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_certificate_or_not_one(rest):
    for blob in (rest, String(b"ssh-ed25519-cert-v01@openssh.com") + rest, certificate(HOST.public_data)[:100] + rest):
        with contextlib.suppress(PacketDecodeError):
            certificates.read(blob)


def test_a_key_is_its_value():
    shortest = RSA_AUTHORITY.public_data
    packet = SSHPacket(shortest)
    kind, exponent, modulus = packet.get_string(), packet.get_string(), packet.get_string()
    padded = String(kind) + String(b"\0" * 5 + exponent) + String(b"\0" + modulus)
    assert public_keys.canonical(padded) == public_keys.canonical(shortest) == shortest
    assert public_keys.canonical(HOST.public_data) == HOST.public_data
    for bad in (shortest + b"\0", shortest[:-1], b""):
        with pytest.raises(PacketDecodeError):
            public_keys.canonical(bad)
