"""PKCS#8 of both versions, as Rust's crates write it, and what is neither."""

import pytest

from litterbox.keys import formats
from litterbox.keys.rust import private_key


@pytest.mark.parametrize(("key_type", "bits"), [("ed25519", None), ("ecdsa", 256), ("ecdsa", 521), ("rsa", 2048)])
def test_the_first_version_is_read(key_type, bits) -> None:
    key = formats.generate(key_type, bits)

    assert private_key.read(formats.private_bytes(key)) == key


def test_the_second_version_is_read_with_its_public_half(rust, ed25519) -> None:
    assert private_key.read(rust.with_public_key(ed25519)) == ed25519


def test_a_public_half_of_another_key_is_refused(rust, ed25519) -> None:
    other = formats.generate("ed25519").pyca_key.public_key().public_bytes_raw()

    with pytest.raises(ValueError, match="the public key is not that of the private one"):
        private_key.read(rust.with_public_key(ed25519, public=other))


def test_a_seed_that_is_not_wrapped_is_read_as_russh_reads_it(ed25519) -> None:
    unwrapped = bytes.fromhex("302c020100300506032b65700420") + ed25519.pyca_key.private_bytes_raw()

    assert private_key.read(unwrapped) == ed25519


@pytest.mark.parametrize("version", [2, 255])
def test_a_third_version_is_refused(rust, ed25519, version: int) -> None:
    content = bytearray(rust.with_public_key(ed25519))
    content[4] = version

    with pytest.raises(ValueError, match=r"."):
        private_key.read(bytes(content))


def test_a_public_half_in_the_first_version_is_refused(rust, ed25519) -> None:
    content = bytearray(rust.with_public_key(ed25519))
    content[4] = 0

    with pytest.raises(ValueError, match="more than there should be"):
        private_key.read(bytes(content))


def test_a_key_truncated_anywhere_is_refused(rust, ed25519) -> None:
    content = rust.with_public_key(ed25519)
    for cut in range(len(content)):
        with pytest.raises(ValueError, match=r"."):
            private_key.read(content[:cut])
