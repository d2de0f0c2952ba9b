"""Encrypted private keys: what another writer made opens; what is absurd or doctored is refused, unrun."""

import asyncssh
import pytest
from asyncssh.asn1 import ObjectIdentifier, der_encode
from hypothesis import example, given
from hypothesis import strategies as st

from litterbox.errors import IdentityError
from litterbox.keys import formats
from litterbox.keys.rust import pbes2, private_key

KEY = formats.generate("ed25519")


@pytest.mark.parametrize("cipher", ["aes128-cbc", "aes192-cbc", "aes256-cbc"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_what_asyncssh_encrypted_opens(cipher: str, algorithm: str) -> None:
    encrypted = KEY.export_private_key("pkcs8-der", passphrase="pw", cipher_name=cipher, hash_name=algorithm)

    assert private_key.read(pbes2.decrypt(pbes2.parse(encrypted), b"pw")) == KEY


def test_another_password_does_not_open_it(rust) -> None:
    key = pbes2.parse(rust.encrypt(formats.private_bytes(KEY)))

    with pytest.raises(ValueError, match=r"."):
        private_key.read(pbes2.decrypt(key, b"another"))


@pytest.mark.parametrize("iterations", [1, 10, 2**28])
def test_iterations_within_reason_are_taken(rust, iterations: int) -> None:
    assert pbes2.parse(rust.wrap(rust.pbkdf2(iterations).described(b"salt"))).work == iterations


@pytest.mark.parametrize(
    ("cost", "block_size", "parallelization"), [(2, 8, 1), (2**17, 8, 1), (2**20, 7, 4), (2, 1, 1)]
)
def test_scrypt_within_reason_is_taken(rust, cost: int, block_size: int, parallelization: int) -> None:
    described = rust.scrypt(cost, block_size, parallelization).described(b"salt")

    assert pbes2.parse(rust.wrap(described)).work == cost * block_size * parallelization


@pytest.mark.parametrize("iterations", [0, 2**28 + 1, 2**31, 2**64, 2**2000])
def test_iterations_beyond_reason_are_refused_unrun(rust, iterations: int) -> None:
    with pytest.raises(ValueError, match="more time or memory"):
        pbes2.parse(rust.wrap(rust.pbkdf2(iterations).described(b"salt")))


@pytest.mark.parametrize(
    ("cost", "block_size", "parallelization"),
    [
        (0, 8, 1),
        (1, 8, 1),
        (3, 8, 1),
        (16, 0, 1),
        (16, 8, 0),
        (2**16, 1, 1),  # OpenSSL refuses it, as RFC 7914 says
        (2**20, 8, 1),  # one KiB over one GiB
        (2**25, 1, 1),
        (2, 2**23, 1),
        (2, 2**22, 2),
        (2**64, 2**64, 2**64),
    ],
)
def test_scrypt_beyond_reason_is_refused_unrun(rust, cost: int, block_size: int, parallelization: int) -> None:
    described = rust.scrypt(cost, block_size, parallelization).described(b"salt")

    with pytest.raises(ValueError, match="more time or memory"):
        pbes2.parse(rust.wrap(described))


def test_every_scrypt_that_is_taken_runs() -> None:
    """The bounds are no wider than OpenSSL's own, which would end in a MemoryError."""
    for block_size in (1, 2, 8):
        for cost in (2, 2**10, 2**15):
            for parallelization in (1, 3):
                derivation = pbes2.ScryptCost(b"salt", cost, block_size, parallelization)
                assert len(derivation.derive(b"pw", 32)) == 32


@pytest.mark.parametrize(
    "described",
    [
        (ObjectIdentifier("1.2.840.113549.1.5.12"), (b"salt", 10, 16)),  # a key length that is not the cipher's
        (ObjectIdentifier("1.2.840.113549.1.5.12"), (b"salt", -10)),
        (ObjectIdentifier("1.2.840.113549.1.5.12"), (b"salt",)),
        (ObjectIdentifier("1.2.840.113549.1.5.12"), (b"salt", 10, (ObjectIdentifier("1.2.840.113549.2.5"), None))),
        (ObjectIdentifier("1.2.840.113549.1.5.12"), (bytes(2000), 10)),
        (ObjectIdentifier("1.2.840.113549.1.5.13"), (b"salt", 10)),
        (ObjectIdentifier("1.3.6.1.4.1.11591.4.11"), (b"salt", 16, 8, 1, 33)),
        (ObjectIdentifier("1.3.6.1.4.1.11591.4.11"), (b"salt", 16, 8, 1, 32, 1)),
    ],
    ids=str,
)
def test_another_way_to_encrypt_is_refused(rust, described: object) -> None:
    with pytest.raises(ValueError, match="in a way that Litterbox does not know"):
        pbes2.parse(rust.wrap(described))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        formats.private_bytes(KEY),
        formats.write_openssh(KEY),
        KEY.export_private_key("pkcs8-pem", passphrase="pw"),
        KEY.export_private_key("pkcs8-der", passphrase="pw") + b"\0",
        der_encode(((ObjectIdentifier("1.2.840.113549.1.5.3"), (b"salt", 10)), bytes(64))),
        b"\x30\x84\xff\xff\xff\xff" + bytes(100),
        b"\x30\xff" + b"\xff" * 200,
        b"\x30\x82\x00\x05" + bytes(5),
    ],
    ids=lambda content: content[:4].hex(),
)
def test_what_is_no_encrypted_key_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="this is not an encrypted private key"):
        pbes2.parse(content)


@given(st.binary(max_size=300))
@example(b"\x30" * 300)
def test_any_bytes_give_the_documented_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        pbes2.parse(content)


@pytest.mark.parametrize("kdf", ["pbkdf2", "scrypt"])
def test_no_bit_of_a_key_can_be_changed_into_another_key_or_another_error(rust, kdf: str) -> None:
    """The public half beside the private one tells."""
    encrypted = rust.encrypt(rust.with_public_key(KEY), kdf=getattr(rust, kdf)())
    for at in range(len(encrypted)):
        for flip in (0x01, 0x80):
            doctored = bytearray(encrypted)
            doctored[at] ^= flip
            opened: asyncssh.SSHKey | None = None
            try:
                key = pbes2.parse(bytes(doctored))
                if key.work < 2**16:  # the rest is within bounds, and slow
                    opened = private_key.read(pbes2.decrypt(key, rust.password))
            except (ValueError, IdentityError):
                continue
            assert opened is None or opened == KEY
