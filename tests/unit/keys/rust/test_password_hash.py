"""The old store's proof of a password: the right one passes, an absurd hash is never run."""

import pytest

from litterbox.errors import WrongPassword
from litterbox.keys.rust import password_hash

# From the argon2 crate with its defaults, as the Rust Litterbox called it.
OF_RUST = "$argon2id$v=19$m=19456,t=2,p=1$8xwuFqtygxxBCVIqTTJwZA$pafaiiZF8W3vmAV2YHmblVLB9iKlnKqfhgadX94PDFM"


def test_a_hash_that_rust_made_proves_the_password() -> None:
    expected = password_hash.parse(OF_RUST)

    password_hash.verify(expected, b"correct horse")
    for other in (b"", b"correct horse ", b"Correct horse"):
        with pytest.raises(WrongPassword):
            password_hash.verify(expected, other)


@pytest.mark.parametrize("parameters", ["m=8,t=1,p=1", "m=64,t=3,p=4"])
def test_cheaper_parameters_are_taken(rust, parameters: str) -> None:
    password_hash.verify(password_hash.parse(rust.hash(b"pw", parameters)), b"pw")


@pytest.mark.parametrize("parameters", ["m=1048576,t=10,p=16", "m=8,t=1,p=1"])
def test_the_bounds_themselves_are_allowed(parameters: str) -> None:
    password_hash.parse(OF_RUST.replace("m=19456,t=2,p=1", parameters))


@pytest.mark.parametrize(
    "parameters",
    [
        "m=1048577,t=2,p=1",
        "m=999999999,t=2,p=1",
        "m=19456,t=11,p=1",
        "m=19456,t=999999999,p=1",
        "m=19456,t=2,p=17",
        "m=19456,t=0,p=1",
        "m=19456,t=2,p=0",
        "m=7,t=2,p=1",
        "m=31,t=2,p=4",
    ],
)
def test_absurd_parameters_are_refused_unrun(parameters: str) -> None:
    with pytest.raises(ValueError, match="outside what Litterbox allows"):
        password_hash.parse(OF_RUST.replace("m=19456,t=2,p=1", parameters))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("argon2id", "argon2i"),
        ("v=19", "v=16"),
        ("$v=19", ""),
        ("m=19456,t=2,p=1", "t=2,m=19456,p=1"),
        ("m=19456", "m=-1"),
        ("m=19456", "m=9999999999"),
        ("m=19456", "m=١٢"),
        ("p=1", "p=1,keyid=x"),
        ("8xwuFqtygxxBCVIqTTJwZA", "8xwu"),
        ("8xwuFqtygxxBCVIqTTJwZA", "8xwuFqtygxxBCVIqTTJwZ"),
        ("8xwuFqtygxxBCVIqTTJwZA", "8xwuFqtygxxBCVIqTTJw=="),
        ("$pafaiiZF8W3vmAV2YHmblVLB9iKlnKqfhgadX94PDFM", ""),
        ("pafaiiZF8W3vmAV2YHmblVLB9iKlnKqfhgadX94PDFM", "pafaii"),
        ("PDFM", "PDFM\n"),
    ],
)
def test_what_is_no_hash_of_a_password_is_refused(old: str, new: str) -> None:
    assert old in OF_RUST

    with pytest.raises(ValueError, match="this is not the hash of a password"):
        password_hash.parse(OF_RUST.replace(old, new))
