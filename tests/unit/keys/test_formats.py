"""Making keys, and what the reader says to files that are not private keys."""

import base64
import contextlib

import pytest
from asyncssh.packet import MPInt, String
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st

from litterbox.errors import IdentityError, LitterboxError, UsageError, WrongPassphrase
from litterbox.keys import formats

ED25519 = formats.generate("ed25519")
PLAIN = formats.write_openssh(ED25519)
PKCS8 = ED25519.export_private_key("pkcs8-pem")
ENCRYPTED_PKCS8 = ED25519.export_private_key("pkcs8-pem", passphrase="pw")
ENCRYPTED = ED25519.export_private_key("openssh", passphrase="pw", rounds=1, ignore_few_rounds=True)


@pytest.mark.parametrize(
    ("key_type", "bits", "algorithm"),
    [
        ("ed25519", None, "ssh-ed25519"),
        ("ecdsa", None, "ecdsa-sha2-nistp256"),
        ("ecdsa", 384, "ecdsa-sha2-nistp384"),
        ("ecdsa", 521, "ecdsa-sha2-nistp521"),
        ("rsa", 2048, "ssh-rsa"),
    ],
)
def test_keys_of_each_type_are_made(key_type, bits, algorithm: str) -> None:
    assert formats.generate(key_type, bits).get_algorithm() == algorithm


def test_rsa_keys_have_3072_bits_unless_told_otherwise() -> None:
    assert formats.generate("rsa").pyca_key.key_size == 3072


@pytest.mark.parametrize(
    ("key_type", "bits"),
    [("ed25519", 512), ("ecdsa", 255), ("rsa", 1024), ("rsa", 2047), ("rsa", 16385), ("rsa", 0), ("rsa", -1)],
)
def test_other_sizes_are_refused(key_type, bits: int) -> None:
    with pytest.raises(UsageError):
        formats.generate(key_type, bits)


def test_an_exported_key_reads_back() -> None:
    assert formats.read_private_key(PLAIN) == ED25519


def test_windows_line_ends_and_text_around_are_read() -> None:
    assert formats.read_private_key(PLAIN.replace(b"\n", b"\r\n")) == ED25519
    assert formats.read_private_key(b"Bag Attributes\n  name: x\n" + PKCS8) == ED25519


def test_a_passphrase_that_is_not_needed_is_not_looked_at() -> None:
    assert formats.read_private_key(PLAIN, b"anything") == ED25519
    assert formats.read_private_key(PKCS8, b"anything") == ED25519


def _pkcs8(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is not a private key."),
        (b"hello\n", "The file is not a private key."),
        (b"\x30\x00", "The file is not a private key."),
        (ED25519.export_public_key(), "The file is a public key."),
        (ED25519.export_public_key("pkcs8-pem"), "The file is a public key."),
        (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "The file is a PuTTY key."),
        (PLAIN[:200], "The file is a private key, but damaged."),
        (PKCS8[:60], "The file is a private key, but damaged."),
        (_pkcs8(dsa.generate_private_key(1024)), "The key is a DSA key."),
        (_pkcs8(ec.generate_private_key(ec.SECP256K1())), "The key is of a type that OpenSSH does not use."),
        (_pkcs8(ed448.Ed448PrivateKey.generate()), "The key is of a type that OpenSSH does not use."),
        (_pkcs8(x25519.X25519PrivateKey.generate()), "The key is of a type that OpenSSH does not use."),
        (ED25519.export_private_key("pkcs8-der").replace(b"+ep", b"+eq"), "The file is not a private key."),
    ],
)
def test_what_cannot_be_imported_is_told_apart(content: bytes, sentence: str) -> None:
    with pytest.raises(IdentityError) as refusal:
        formats.read_private_key(content)

    assert refusal.value.sentence == sentence


def test_a_security_key_is_told_from_its_public_part_without_its_passphrase() -> None:
    blob = String("sk-ssh-ed25519@openssh.com") + String(bytes(32))
    fields = [String(name) for name in ("aes256-ctr", "bcrypt", "")]
    packet = b"openssh-key-v1\0" + b"".join(fields) + bytes((0, 0, 0, 1)) + String(blob)
    body = base64.encodebytes(packet)
    content = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + body + b"-----END OPENSSH PRIVATE KEY-----\n"

    with pytest.raises(IdentityError, match="security key"):
        formats.read_private_key(content)


def test_rounds_of_bcrypt_without_end_are_refused() -> None:
    body = base64.b64decode(ENCRYPTED.split(b"-----")[2])
    rounds = body.index(b"\0\0\0\x01", body.index(b"bcrypt") + 6 + 4 + 4 + 16)
    endless = base64.encodebytes(body[:rounds] + b"\x7f\0\0\x01" + body[rounds + 4 :])
    content = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + endless + b"-----END OPENSSH PRIVATE KEY-----\n"

    with pytest.raises(IdentityError, match="rounds of bcrypt"):
        formats.read_private_key(content, b"pw")


def test_an_old_pem_file_with_a_cut_initialisation_vector_is_refused() -> None:
    """The library cryptography would end in a panic of its Rust code here."""
    pem = formats.generate("ecdsa").export_private_key("pkcs1-pem", passphrase="pw")
    header = pem.split(b"\n")[2]

    with pytest.raises(WrongPassphrase):
        formats.read_private_key(pem.replace(header, header[:-2]), b"pw")


def test_an_rsa_key_with_a_negative_number_is_refused() -> None:
    rsa = formats.generate("rsa", 2048)
    plain = base64.b64decode(formats.write_openssh(rsa).split(b"-----")[2])
    exponent = MPInt(rsa.pyca_key.private_numbers().d)
    negative = base64.encodebytes(plain.replace(exponent, exponent[:4] + b"\xff" + exponent[5:]))
    content = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + negative + b"-----END OPENSSH PRIVATE KEY-----\n"

    with pytest.raises(IdentityError, match="damaged"):
        formats.read_private_key(content)


@given(
    st.sampled_from([PLAIN, PKCS8, ENCRYPTED_PKCS8, ENCRYPTED, ED25519.export_private_key("pkcs8-der")]),
    st.integers(0, 400),
    st.binary(max_size=3),
    st.sampled_from([None, b"pw"]),
)
@settings(max_examples=300)
def test_a_file_with_any_change_is_read_or_refused_in_words(
    content: bytes, at: int, change: bytes, passphrase: bytes | None
) -> None:
    changed = content[:at] + change + content[at + len(change) :]
    with contextlib.suppress(LitterboxError):
        formats.read_private_key(changed, passphrase)


@given(st.binary(max_size=300))
@example(b"-----BEGIN OPENSSH PRIVATE KEY-----")
@example(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
@example(
    b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,Y\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
)
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(IdentityError):
        formats.read_private_key(content, b"pw")


@pytest.mark.parametrize("content", [ENCRYPTED, ENCRYPTED_PKCS8], ids=["OpenSSH", "PKCS#8"])
def test_a_wrong_passphrase_is_not_in_the_error(content: bytes) -> None:
    with pytest.raises(WrongPassphrase) as refusal:
        formats.read_private_key(content, b"hunter2")

    assert "hunter2" not in f"{refusal.value!r}{refusal.value.hint}"
