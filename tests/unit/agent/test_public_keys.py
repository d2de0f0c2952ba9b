"""Public keys from clients: which are used, and that none can cost more than a moment."""

from contextlib import suppress

import asyncssh
import hypothesis.strategies as st
import pytest
from asyncssh.packet import MPInt, PacketDecodeError, SSHPacket, String
from hypothesis import given

from litterbox.agent.public_keys import FIELDS, BadPublicKey, canonical, decode

ED25519, PRIVATE_RSA = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-rsa")
RSA = PRIVATE_RSA.pyca_key.private_numbers().public_numbers


def rsa(*, bits: int = 2048, exponent: int = 65537) -> bytes:
    """A key of that size, whose modulus is no product of primes."""
    return String("ssh-rsa") + MPInt(exponent) + MPInt((1 << (bits - 1)) + 1)


@pytest.mark.parametrize("kind", [kind.decode() for kind in FIELDS if not kind.startswith(b"sk-")])
def test_keys_of_each_type_are_used(kind):
    key = asyncssh.generate_private_key(kind)
    assert decode(key.public_data).public_data == key.public_data


def test_a_key_is_written_as_openssh_writes_it():
    padded = String("ssh-rsa") + MPInt(RSA.e) + String(b"\0\0" + RSA.n.to_bytes(256, "big"))
    assert decode(padded).public_data == String("ssh-rsa") + MPInt(RSA.e) + MPInt(RSA.n)


@pytest.mark.parametrize(
    "changes", [{"bits": 1024}, {"bits": 16384}, {"exponent": 3}, {"exponent": (1 << 64) - 1}, {"bits": 3072}]
)
def test_sizes_of_rsa_that_openssh_and_openssl_use(changes):
    assert decode(rsa(**changes)).public_data == rsa(**changes)


@pytest.mark.parametrize(
    "changes",
    [{"bits": 1023}, {"bits": 16385}, {"bits": 2_000_000}, {"exponent": (1 << 64) + 1}, {"exponent": (1 << 2000) + 1}],
)
def test_other_sizes_of_rsa_are_refused(changes):
    with pytest.raises(BadPublicKey, match="RSA"):
        decode(rsa(**changes))


@given(
    st.builds(
        lambda kind, rest: String(kind) + b"".join(map(String, rest)),
        st.sampled_from([b"x", *FIELDS]),
        st.lists(st.binary(max_size=40), max_size=4),
    )
    | st.binary(max_size=60)
)
def test_any_bytes_are_a_key_or_refused(blob):
    with suppress(BadPublicKey):
        assert decode(blob).public_data


def test_a_key_is_its_value():
    shortest = PRIVATE_RSA.public_data
    packet = SSHPacket(shortest)
    kind, exponent, modulus = packet.get_string(), packet.get_string(), packet.get_string()
    padded = String(kind) + String(b"\0" * 5 + exponent) + String(b"\0" + modulus)
    assert canonical(padded) == canonical(shortest) == shortest
    assert canonical(ED25519.public_data) == ED25519.public_data
    for bad in (shortest + b"\0", shortest[:-1], b""):
        with pytest.raises(PacketDecodeError):
            canonical(bad)
