"""What a stored key says about itself."""

import asyncssh
import pytest

from litterbox.keys import formats
from litterbox.keys.records import Sealed, StoredKey, is_key_name, is_public_key


@pytest.mark.parametrize(
    ("algorithm", "options", "described"),
    [
        ("ssh-ed25519", {}, ("ed25519", 256)),
        ("ecdsa-sha2-nistp384", {}, ("ecdsa", 384)),
        ("ecdsa-sha2-nistp521", {}, ("ecdsa", 521)),
        ("ssh-rsa", {"key_size": 2048}, ("rsa", 2048)),
    ],
)
def test_a_key_knows_its_type_size_and_fingerprint(algorithm: str, options, described) -> None:
    private = asyncssh.generate_private_key(algorithm, **options)

    key = StoredKey("k", formats.public_line(private, "me at home"), Sealed(b"", b""))

    assert (key.type, key.bits) == described
    assert key.algorithm == algorithm
    assert key.blob == private.public_data
    assert key.comment == "me at home"
    assert key.fingerprint == private.get_fingerprint()
    assert is_public_key(key.public_key)


def test_a_public_line_may_have_no_comment() -> None:
    line = formats.public_line(formats.generate("ed25519"), "\n")

    assert line.count(" ") == 1
    assert StoredKey("k", line, Sealed(b"", b"")).comment == ""
    assert is_public_key(line)


def test_a_comment_cannot_smuggle_control_characters_or_length() -> None:
    line = formats.public_line(formats.generate("ed25519"), "a\nssh-rsa b\x1b[0m\u202ec" + "x" * 1000)

    assert line.isprintable()
    assert line.split(" ", 2)[2].startswith("assh-rsa b[0mc")
    assert len(line.split(" ", 2)[2]) == 256


@pytest.mark.parametrize("name", ["a", "work", "me@host.example", "A-1_b+c", "9" * 64])
def test_these_are_key_names(name: str) -> None:
    assert is_key_name(name)


@pytest.mark.parametrize("name", ["", ".a", "-a", "a/b", "../x", "a b", "é", "a\n", "x" * 65])
def test_these_are_not_key_names(name: str) -> None:
    assert not is_key_name(name)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 !!!",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 AAAAB3NzaC1yc2E=",
        "sk-ssh-ed25519@openssh.com AAAA",
        "ssh-dss AAAAB3NzaC1kc3M=",
    ],
)
def test_these_are_not_public_keys(line: str) -> None:
    assert not is_public_key(line)
