"""Private keys in and out: making them, reading every format OpenSSH and PEM use, writing OpenSSH's.

Errors speak of the file and never quote it.
"""

import base64
from typing import Final

import asyncssh
from asyncssh.packet import SSHPacket
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from litterbox.errors import IdentityError, PassphraseNeeded, UsageError, WrongPassphrase
from litterbox.keys import vault
from litterbox.keys.records import KeyType, StoredKey

MAX_FILE_SIZE: Final = 256 * 1024  # bytes; an RSA key of 16,384 bits takes 13 KiB
_CURVES = {256: "ecdsa-sha2-nistp256", 384: "ecdsa-sha2-nistp384", 521: "ecdsa-sha2-nistp521"}
_KEPT = frozenset({"ssh-ed25519", "ssh-rsa", *_CURVES.values()})
_GENERATED_RSA_BITS = range(2048, 16384 + 1)
_IMPORTED_RSA_BITS = range(1024, 16384 + 1)  # what OpenSSH uses: RequiredRSASize and its largest modulus
_OPENSSH_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_OPENSSH_END = b"-----END OPENSSH PRIVATE KEY-----"
_OPENSSH_MAGIC = b"openssh-key-v1\0"
_BCRYPT_ROUNDS = 128  # several times ssh-keygen's own 24, and still under two seconds
_MAX_BCRYPT_ROUNDS = 2_000  # twenty seconds
_MAX_COMMENT_LENGTH = 256
_WAY_OUT = "Litterbox reads OpenSSH private keys, and PKCS#1, SEC1 and PKCS#8 in PEM or DER."


def generate(key_type: KeyType, bits: int | None = None) -> asyncssh.SSHKey:
    """Make a new key; `bits` defaults to 256 for ECDSA, 3072 for RSA. Raises UsageError for odd sizes."""
    if key_type == "ed25519":
        if bits not in {None, 256}:
            raise UsageError("Ed25519 keys have one size; leave out --bits.")
        return asyncssh.generate_private_key("ssh-ed25519")
    if key_type == "ecdsa":
        if bits not in {None, *_CURVES}:
            raise UsageError("ECDSA keys have 256, 384 or 521 bits.")
        return asyncssh.generate_private_key(_CURVES[bits or 256])
    if bits is not None and bits not in _GENERATED_RSA_BITS:
        raise UsageError(
            f"RSA keys have {_GENERATED_RSA_BITS[0]} to {_GENERATED_RSA_BITS[-1]} bits; 3072 is the default."
        )
    return asyncssh.generate_private_key("ssh-rsa", key_size=bits or 3072)


def read_private_key(data: bytes, passphrase: bytes | None = None) -> asyncssh.SSHKey:
    """Read a private key file's content. A passphrase that it does not need is not looked at.

    Raises PassphraseNeeded, WrongPassphrase, and IdentityError where it is no key, or of a type not kept.
    """
    if _OPENSSH_BEGIN in data:
        key = _read_openssh(data, passphrase)
    elif b"DEK-Info:" in data:
        key = _read_legacy_pem(data, passphrase)
    else:
        key = _read_pem(data, passphrase)
    return _checked(key)


def read_pkcs8(der: bytes) -> asyncssh.SSHKey:
    """Read unencrypted PKCS#8 DER. Raises IdentityError for a type that is not kept, ValueError for what is no key."""
    try:
        return _checked(_adopt(_load(der, None)))
    except UnsupportedAlgorithm:
        raise _unsupported("of a type that OpenSSH does not use") from None


def open_private_key(key: StoredKey, vault_key: bytes) -> asyncssh.SSHKey:
    """Decrypt a stored key, for one operation: drop it then. Raises TamperedError, which names the key."""
    # OpenSSL's checks of an RSA key take 100 ms; the AEAD has just vouched for what read_private_key checked.
    private = asyncssh.import_private_key(vault.unseal(key, vault_key), unsafe_skip_rsa_key_validation=True)
    private.set_comment(key.comment)
    return private


def private_bytes(key: asyncssh.SSHKey) -> bytes:
    """The private key as the store seals it: PKCS#8 DER, not encrypted."""
    return key.export_private_key("pkcs8-der")


def public_line(key: asyncssh.SSHKey, comment: str) -> str:
    """The OpenSSH public key line, its comment without what is not printable and cut to length."""
    shown = "".join(filter(str.isprintable, comment)).strip()[:_MAX_COMMENT_LENGTH]
    line = f"{key.get_algorithm()} {base64.b64encode(key.public_data).decode()}"
    return f"{line} {shown}" if shown else line


def write_openssh(key: asyncssh.SSHKey, passphrase: bytes | None = None) -> bytes:
    """The private key in OpenSSH's format, encrypted where there is a passphrase."""
    return key.export_private_key("openssh", passphrase=passphrase, cipher_name="aes256-ctr", rounds=_BCRYPT_ROUNDS)


def _read_openssh(data: bytes, passphrase: bytes | None) -> asyncssh.SSHKey:
    """Read OpenSSH's own format (its PROTOCOL.key); cipher and public key stand in the clear, first."""
    try:
        body = data.split(_OPENSSH_BEGIN, 1)[1].split(_OPENSSH_END, 1)[0]
        packet = SSHPacket(base64.b64decode(body).removeprefix(_OPENSSH_MAGIC))
        cipher, _kdf, options = packet.get_string(), packet.get_string(), packet.get_string()
        _count = packet.get_uint32()
        algorithm = SSHPacket(packet.get_string()).get_string().decode()
    except ValueError:
        raise _damaged() from None
    _check_kept(algorithm)
    encrypted = cipher != b"none"
    if encrypted:
        if passphrase is None:
            raise PassphraseNeeded("The file is encrypted; its passphrase is needed.")
        _check_rounds(options)
    try:
        return asyncssh.import_private_key(data, passphrase)
    except asyncssh.KeyEncryptionError:
        raise _wrong_passphrase() if encrypted else _damaged() from None
    except (ValueError, OverflowError):
        raise _damaged() from None


def _check_rounds(options: bytes) -> None:
    """Refuse what bcrypt would work on for hours, out of reach of Ctrl-C: most likely the file is damaged."""
    if int.from_bytes(options[-4:], "big") > _MAX_BCRYPT_ROUNDS:
        raise IdentityError(
            f"The file asks for more than {_MAX_BCRYPT_ROUNDS} rounds of bcrypt.",
            "If it is not damaged, 'ssh-keygen -p -a 100 -f FILE' rewrites it with fewer.",
        )


def _read_legacy_pem(data: bytes, passphrase: bytes | None) -> asyncssh.SSHKey:
    """Read PKCS#1 and SEC1 with their own encryption (RFC 1421's DEK-Info, as OpenSSL used it).

    asyncssh knows more of its ciphers than cryptography does, which also panics where the IV is too short.
    """
    if passphrase is None:
        raise PassphraseNeeded("The file is encrypted; its passphrase is needed.")
    try:
        return asyncssh.import_private_key(data, passphrase)
    except (ValueError, OverflowError):
        raise _wrong_passphrase() from None


def _read_pem(data: bytes, passphrase: bytes | None) -> asyncssh.SSHKey:
    """Read PKCS#1, SEC1 and PKCS#8, in PEM or DER."""
    try:
        return _adopt(_load(data, None))
    except TypeError:  # so cryptography says "encrypted"
        if passphrase is None:
            raise PassphraseNeeded("The file is encrypted; its passphrase is needed.") from None
    except UnsupportedAlgorithm:
        raise _unsupported("of a type that OpenSSH does not use") from None
    except ValueError:
        raise _not_a_key(data) from None
    try:
        return _adopt(_load(data, passphrase))
    except (ValueError, UnsupportedAlgorithm):
        raise _wrong_passphrase() from None


def _load(data: bytes, passphrase: bytes | None) -> PrivateKeyTypes:
    load = load_der_private_key if data.startswith(b"\x30") else load_pem_private_key
    try:
        return load(data, passphrase)
    except InternalError:  # so cryptography says that an Ed448 or X25519 key has a wrong length
        raise ValueError("the key is damaged") from None


def _adopt(key: PrivateKeyTypes) -> asyncssh.SSHKey:
    """Hand a key that cryptography has read, and checked, to asyncssh."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    try:
        return asyncssh.import_private_key(plain, unsafe_skip_rsa_key_validation=True)
    except asyncssh.KeyImportError:
        raise _unsupported("of a type that OpenSSH does not use") from None


def _checked(key: asyncssh.SSHKey) -> asyncssh.SSHKey:
    """The key, where OpenSSH would use it too. Raises IdentityError."""
    _check_kept(key.get_algorithm())
    if isinstance(key.pyca_key, RSAPrivateKey) and key.pyca_key.key_size not in _IMPORTED_RSA_BITS:
        raise IdentityError(
            f"The key is an RSA key of {key.pyca_key.key_size} bits.",
            f"OpenSSH accepts {_IMPORTED_RSA_BITS[0]} to {_IMPORTED_RSA_BITS[-1]} bits; make a new key.",
        )
    return key


def _check_kept(algorithm: str) -> None:
    if algorithm in _KEPT:
        return
    if algorithm.startswith("sk-"):
        raise IdentityError(
            "The file stands for a security key, whose private part never leaves the device.",
            "There is nothing to store; only keys that are held in a file can be imported.",
        )
    raise _unsupported("a DSA key" if algorithm == "ssh-dss" else "of a type that OpenSSH does not use")


def _unsupported(what: str) -> IdentityError:
    return IdentityError(f"The key is {what}.", "Litterbox keeps Ed25519, ECDSA (NIST curves) and RSA keys.")


def _wrong_passphrase() -> WrongPassphrase:
    return WrongPassphrase(
        "The passphrase does not open the file.",
        "If it is right, the file is damaged or encrypted in a way that Litterbox does not know; "
        "'ssh-keygen -p -f FILE' rewrites a key in OpenSSH's own way.",
    )


def _damaged() -> IdentityError:
    return IdentityError("The file is a private key, but damaged.", _WAY_OUT)


def _not_a_key(data: bytes) -> IdentityError:
    if data.startswith(b"PuTTY-User-Key-File"):
        return IdentityError(
            "The file is a PuTTY key.",
            "'puttygen FILE -O private-openssh -o NEWFILE' turns it into an OpenSSH key.",
        )
    if data.startswith((b"ssh-", b"ecdsa-", b"sk-")) or b" PUBLIC KEY-----" in data:
        return IdentityError("The file is a public key.", "The private key is the file beside it, without '.pub'.")
    if b" PRIVATE KEY-----" in data:
        return _damaged()
    return IdentityError("The file is not a private key.", _WAY_OUT)
