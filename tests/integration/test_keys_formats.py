"""Private keys as OpenSSH and OpenSSL themselves write them, in every format, read; and ours read by them."""

import subprocess
from pathlib import Path

import pytest

from litterbox.errors import IdentityError, PassphraseNeeded, WrongPassphrase
from litterbox.keys import formats

PASSPHRASE = "correct horse"
TYPES = {
    "ed25519": ["-t", "ed25519"],
    "ecdsa-256": ["-t", "ecdsa", "-b", "256"],
    "ecdsa-384": ["-t", "ecdsa", "-b", "384"],
    "ecdsa-521": ["-t", "ecdsa", "-b", "521"],
    "rsa-3072": ["-t", "rsa", "-b", "3072"],
}
SSH_KEYGEN_FORMATS = [
    (key_type, layout)
    for key_type in TYPES
    for layout in ("RFC4716", "PEM", "PKCS8")
    if not (key_type == "ed25519" and layout != "RFC4716")  # ssh-keygen then writes its own format anyway
]
OPENSSH_CIPHERS = [
    "aes128-ctr",
    "aes256-ctr",
    "aes256-cbc",
    "3des-cbc",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
]
LEGACY_CIPHERS = ["des3", "aes128", "aes192", "aes256"]
PKCS8_ENCRYPTIONS = [
    ["-v2", "aes-128-cbc"],
    ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512"],
    ["-v2", "des3"],
    ["-scrypt"],
    ["-v1", "PBE-SHA1-3DES"],
]


def run(*arguments: str, text: str | None = None) -> str:
    return subprocess.run(arguments, check=True, capture_output=True, text=True, input=text).stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """Make keys with ssh-keygen, once for each kind of key: the path, with its public key beside it."""
    folder = tmp_path_factory.mktemp("keys")

    def make(key_type: str, layout: str = "RFC4716", passphrase: str = "", cipher: str = "aes256-ctr") -> Path:
        path = folder / f"{key_type}-{layout}-{passphrase}-{cipher}".replace(" ", "_")
        if not path.exists():
            run(
                "ssh-keygen",
                "-q",
                *TYPES[key_type],
                "-m",
                layout,
                "-N",
                passphrase,
                "-Z",
                cipher,
                "-C",
                "me@home",
                "-f",
                str(path),
            )
        return path

    return make


def public_words(path: Path) -> list[str]:
    return Path(f"{path}.pub").read_text().split()[:2]


def words_of(content: bytes, passphrase: str | None = None) -> list[str]:
    key = formats.read_private_key(content, None if passphrase is None else passphrase.encode())
    return formats.public_line(key, "").split()


@pytest.mark.parametrize(("key_type", "layout"), SSH_KEYGEN_FORMATS)
def test_every_format_of_ssh_keygen_is_read(made, key_type: str, layout: str) -> None:
    path = made(key_type, layout)

    assert words_of(path.read_bytes()) == public_words(path)


@pytest.mark.parametrize(("key_type", "layout"), SSH_KEYGEN_FORMATS)
def test_encrypted_ones_want_their_passphrase(made, key_type: str, layout: str) -> None:
    path = made(key_type, layout, PASSPHRASE)
    content = path.read_bytes()

    assert words_of(content, PASSPHRASE) == public_words(path)
    with pytest.raises(PassphraseNeeded):
        words_of(content)
    with pytest.raises(WrongPassphrase):
        words_of(content, "wrong")


@pytest.mark.parametrize("cipher", OPENSSH_CIPHERS)
def test_every_cipher_of_opensshs_format_is_read(made, cipher: str) -> None:
    path = made("ed25519", passphrase=PASSPHRASE, cipher=cipher)

    assert words_of(path.read_bytes(), PASSPHRASE) == public_words(path)
    with pytest.raises(WrongPassphrase):
        words_of(path.read_bytes(), "wrong")


def test_the_comment_of_opensshs_format_is_kept(made) -> None:
    assert formats.read_private_key(made("ed25519").read_bytes()).get_comment() == "me@home"


@pytest.mark.parametrize("cipher", LEGACY_CIPHERS)
@pytest.mark.parametrize(("key_type", "command"), [("rsa-3072", "rsa"), ("ecdsa-256", "ec")])
def test_old_pem_encryption_is_read(made, key_type: str, command: str, cipher: str) -> None:
    path = made(key_type, "PEM")
    legacy = ["-traditional"] if command == "rsa" else []
    pem = run("openssl", command, "-in", str(path), f"-{cipher}", "-passout", f"pass:{PASSPHRASE}", *legacy).encode()

    assert b"DEK-Info" in pem
    assert words_of(pem, PASSPHRASE) == public_words(path)
    with pytest.raises(WrongPassphrase):
        words_of(pem, "wrong")


@pytest.mark.parametrize("encryption", PKCS8_ENCRYPTIONS, ids=" ".join)
@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_pkcs8_encryption_is_read(made, tmp_path: Path, encryption: list[str], encoding: str) -> None:
    path = made("rsa-3072", "PKCS8")
    encrypted = tmp_path / "encrypted"
    run(
        "openssl",
        "pkcs8",
        "-topk8",
        "-in",
        str(path),
        *encryption,
        "-passout",
        f"pass:{PASSPHRASE}",
        "-outform",
        encoding,
        "-out",
        str(encrypted),
    )

    assert words_of(encrypted.read_bytes(), PASSPHRASE) == public_words(path)
    with pytest.raises(PassphraseNeeded):
        words_of(encrypted.read_bytes())
    with pytest.raises(WrongPassphrase):
        words_of(encrypted.read_bytes(), "wrong")


@pytest.mark.parametrize("algorithm", ["RSA", "EC", "ED25519"])
@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_keys_made_by_openssl_are_read(tmp_path: Path, algorithm: str, encoding: str) -> None:
    options = {"EC": ["-pkeyopt", "ec_paramgen_curve:P-256"], "RSA": ["-pkeyopt", "rsa_keygen_bits:2048"]}
    path = tmp_path / "key"
    run(
        "openssl",
        "genpkey",
        "-algorithm",
        algorithm,
        *options.get(algorithm, []),
        "-outform",
        encoding,
        "-out",
        str(path),
    )

    assert len(words_of(path.read_bytes())) == 2


def test_an_ec_key_after_its_parameters_is_read() -> None:
    pem = run("openssl", "ecparam", "-name", "prime256v1", "-genkey")

    assert pem.startswith("-----BEGIN EC PARAMETERS-----")
    assert words_of(pem.encode())[0] == "ecdsa-sha2-nistp256"


def test_dsa_keys_are_refused_in_ssh_keygens_format_and_in_pem() -> None:
    parameters = run("openssl", "dsaparam", "1024")
    pem = run("openssl", "gendsa", "/dev/stdin", text=parameters)

    with pytest.raises(IdentityError, match="The key is a DSA key"):
        words_of(pem.encode())


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_what_we_write_ssh_keygen_reads(tmp_path: Path, key_type, passphrase: str | None) -> None:
    key = formats.generate(key_type)
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(formats.write_openssh(key, passphrase.encode() if passphrase else None))

    printed = run("ssh-keygen", "-y", "-P", passphrase or "", "-f", str(path))

    assert printed.split()[:2] == formats.public_line(key, "").split()
    fingerprint = run("ssh-keygen", "-l", "-f", "/dev/stdin", text=formats.public_line(key, "") + "\n")
    assert key.get_fingerprint() in fingerprint


def test_an_rsa_key_that_openssh_would_refuse_for_its_size_is_refused() -> None:
    pem = run("openssl", "genrsa", "-traditional", "768")

    with pytest.raises(IdentityError, match="an RSA key of 768 bits"):
        words_of(pem.encode())
