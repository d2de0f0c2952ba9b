"""Certificates: what is one, what it says, and that nobody takes it for true before its authority signed it."""

import asyncssh
import hypothesis.strategies as st
import pytest
from asyncssh.packet import String
from hypothesis import given
from support.certificates import HOST_CERTIFICATE, make_certificate

from litterbox.agent.certificates import (
    MAX_PRINCIPALS,
    MAX_WILDCARDS,
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
KEY, CA = KEYS[0], asyncssh.generate_private_key("ssh-ed25519")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.get_algorithm())
def test_a_certificate_for_each_type_of_key_is_read(key):
    made = CA.generate_user_certificate(key, "laptop", principals=["me", "root"], valid_before="20300101")
    certificate = decode(made.public_data)
    assert is_certificate(made.public_data)
    assert (certificate.key_blob, certificate.authority) == (key.public_data, CA.public_data)
    assert (certificate.key_id, certificate.principals) == ("laptop", ("me", "root"))
    assert not certificate.is_host
    assert not certificate.critical_options


def test_options_that_are_not_known_are_kept():
    certificate = decode(make_certificate(KEY, CA, critical=["verify-required", "teleport@example.org"]))
    assert certificate.critical_options == (b"verify-required", b"teleport@example.org")


def test_what_is_not_utf_8_is_read_with_replacements():
    assert decode(make_certificate(KEY, CA, principals=[b"caf\xe9"])).principals == ("caf\N{REPLACEMENT CHARACTER}",)


def test_a_certificate_is_read_without_a_look_at_its_signature_and_verified_with_one():
    blob = make_certificate(KEY, CA)
    forged = blob[:-1] + bytes([blob[-1] ^ 1])
    assert read(forged).key_blob == KEY.public_data
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
        make_certificate(KEY, CA, role=3),
        make_certificate(KEY, CA, principals=["a"] * (MAX_PRINCIPALS + 1)),
        make_certificate(KEY, CA, tail=String("without a value")),
        make_certificate(KEY, CA, tail=b"\0\0"),
    ],
)
def test_what_is_not_a_certificate_does_not_parse(blob):
    with pytest.raises(BadCertificate):
        read(blob)


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
    certificate = decode(make_certificate(KEY, CA, **{"role": HOST_CERTIFICATE, **changes}))
    assert certifies(certificate, CA.public_data, "a.example.org") is good
    assert not certifies(certificate, KEY.public_data, "a.example.org")


@given(
    st.binary(max_size=200)
    | st.lists(st.binary(max_size=40), max_size=16).map(
        lambda rest: String("ssh-ed25519-cert-v01@openssh.com") + b"".join(map(String, rest))
    )
)
def test_any_bytes_are_refused_in_the_one_documented_way(blob):
    with pytest.raises(BadCertificate):
        decode(blob)
