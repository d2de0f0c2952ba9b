"""Stores as the Rust Litterbox wrote them, made by an encoder of the tests' own: its reader is what is tested."""

import base64
import os
from collections.abc import Sequence
from pathlib import Path

import asyncssh
import attrs
import pytest
from asyncssh.asn1 import ObjectIdentifier, der_encode
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from litterbox.keys import formats

PASSWORD = b"correct horse"
PBES2 = ObjectIdentifier("1.2.840.113549.1.5.13")
AES_256_CBC = ObjectIdentifier("2.16.840.1.101.3.4.1.42")
HMAC_SHA256 = ObjectIdentifier("1.2.840.113549.2.9")


@attrs.frozen
class Pbkdf2:
    """HMAC-SHA256 with ten iterations is what the Rust Litterbox used."""

    iterations: int = 10

    def derive(self, password: bytes, salt: bytes) -> bytes:
        return PBKDF2HMAC(hashes.SHA256(), 32, salt, self.iterations).derive(password)

    def described(self, salt: bytes) -> object:
        return ObjectIdentifier("1.2.840.113549.1.5.12"), (salt, self.iterations, (HMAC_SHA256, None))


@attrs.frozen
class ScryptOf:
    cost: int = 16
    block_size: int = 8
    parallelization: int = 1

    def derive(self, password: bytes, salt: bytes) -> bytes:
        return Scrypt(salt, 32, self.cost, self.block_size, self.parallelization).derive(password)

    def described(self, salt: bytes) -> object:
        return ObjectIdentifier("1.3.6.1.4.1.11591.4.11"), (salt, self.cost, self.block_size, self.parallelization)


class Rust:
    """What the Rust Litterbox did, in small: hash, encrypt, and write."""

    password = PASSWORD
    pbkdf2 = Pbkdf2
    scrypt = ScryptOf

    def hash(self, password: bytes = PASSWORD, parameters: str = "m=64,t=1,p=1") -> str:
        memory, iterations, lanes = (int(word[2:]) for word in parameters.split(","))
        salt = os.urandom(16)
        digest = Argon2id(salt=salt, length=32, iterations=iterations, lanes=lanes, memory_cost=memory).derive(password)
        return f"$argon2id$v=19${parameters}${_unpadded(salt)}${_unpadded(digest)}"

    def encrypt(self, pkcs8: bytes, password: bytes = PASSWORD, kdf: Pbkdf2 | ScryptOf = Pbkdf2()) -> bytes:
        salt, iv = os.urandom(32), os.urandom(16)
        padder = padding.PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(kdf.derive(password, salt)), modes.CBC(iv)).encryptor()
        ciphertext = encryptor.update(padder.update(pkcs8) + padder.finalize()) + encryptor.finalize()
        return self.wrap(kdf.described(salt), ciphertext, iv)

    def wrap(self, kdf: object, ciphertext: bytes = bytes(64), iv: bytes = bytes(16)) -> bytes:
        """An EncryptedPrivateKeyInfo, whatever is in it."""
        return der_encode(((PBES2, (kdf, (AES_256_CBC, iv))), ciphertext))

    def with_public_key(self, key: asyncssh.SSHKey, public: bytes | None = None) -> bytes:
        """An Ed25519 key as Rust's ed25519-dalek writes it: PKCS#8's second version, with its public half."""
        private_half, public_half = key.pyca_key.private_bytes_raw(), key.pyca_key.public_key().public_bytes_raw()
        head = bytes.fromhex("3051020101300506032b657004220420")
        return head + private_half + bytes.fromhex("812100") + (public_half if public is None else public)

    def text(self, keys: Sequence[tuple[str, bytes, Sequence[str]]], password_hash: str | None = None) -> bytes:
        """The file; each key is its name, its encrypted bytes and its boxes."""
        written = ",".join(
            f"(name:{_quoted(name)},encrypted_key:[{','.join(map(str, encrypted))}],"
            f"attached_litterboxes:[{','.join(map(_quoted, boxes))}])"
            for name, encrypted, boxes in keys
        )
        return f'(version:2,password_hash:"{password_hash or self.hash()}",keys:[{written}])'.encode()


@pytest.fixture
def rust() -> Rust:
    return Rust()


@pytest.fixture
def ed25519() -> asyncssh.SSHKey:
    return formats.generate("ed25519")


@pytest.fixture
def keys_ron(tmp_path: Path) -> Path:
    """Where a store is; nothing is there yet."""
    (tmp_path / "Litterbox").mkdir()
    return tmp_path / "Litterbox" / "keys.ron"


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\u{{{ord(letter):x}}}" for letter in text) + '"'


def _unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")
