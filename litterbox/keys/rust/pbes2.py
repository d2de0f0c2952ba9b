"""An encrypted private key (PKCS#8 EncryptedPrivateKeyInfo, RFC 5958) under a password (PBES2, RFC 8018).

Read here and not by a library, because its cost is in the file and must be known before any of it is spent, and
because no library that we have reads all that the Rust Litterbox wrote. It wrote PBKDF2-HMAC-SHA256 and
AES-256-CBC; scrypt (RFC 7914) and the relatives that OpenSSL writes are read, too.
"""

from typing import Final

import attrs
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from litterbox.keys import vault
from litterbox.keys.rust import der

MAX_WORK: Final = 2**28  # for all keys of a file together: a minute or two
_MAX_SCRYPT_MEMORY: Final = vault.PRODUCTION.highest.memory_kib * 1024  # bytes
_MAX_SALT_LENGTH: Final = 1024  # bytes

# Object identifiers, as their content in DER.
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_HMACS: Final[dict[bytes, type[hashes.HashAlgorithm]]] = {
    bytes.fromhex("2a864886f70d0207"): hashes.SHA1,
    bytes.fromhex("2a864886f70d0209"): hashes.SHA256,
    bytes.fromhex("2a864886f70d020a"): hashes.SHA384,
    bytes.fromhex("2a864886f70d020b"): hashes.SHA512,
}
_AES_CBC: Final = {  # to the length of its key in bytes
    bytes.fromhex("608648016503040102"): 16,
    bytes.fromhex("608648016503040116"): 24,
    bytes.fromhex("60864801650304012a"): 32,
}
_BLOCK: Final = 16


@attrs.frozen
class Pbkdf2:
    salt: bytes
    iterations: int
    algorithm: type[hashes.HashAlgorithm]

    @property
    def work(self) -> int:
        return self.iterations

    def derive(self, password: bytes, length: int) -> bytes:
        return PBKDF2HMAC(self.algorithm(), length, self.salt, self.iterations).derive(password)


@attrs.frozen
class ScryptCost:
    """RFC 7914 section 2: N, r and p are `cost`, `block_size` and `parallelization`."""

    salt: bytes
    cost: int
    block_size: int
    parallelization: int

    @property
    def work(self) -> int:
        """In steps that take about as long as one iteration of PBKDF2."""
        return self.cost * self.block_size * self.parallelization

    def derive(self, password: bytes, length: int) -> bytes:
        return Scrypt(self.salt, length, self.cost, self.block_size, self.parallelization).derive(password)


@attrs.frozen
class EncryptedKey:
    """`work` is what opening it takes: no more than MAX_WORK."""

    derivation: Pbkdf2 | ScryptCost
    key_length: int
    iv: bytes
    ciphertext: bytes

    @property
    def work(self) -> int:
        return self.derivation.work


def parse(content: bytes) -> EncryptedKey:
    """Read the DER. Raises ValueError where it is something else, or asks for more than a machine can bear."""
    try:
        outer = der.Reader(content)
        fields = outer.enter()
        outer.end()
        algorithm, ciphertext = fields.enter(), fields.take(der.OCTET_STRING)
        fields.end()
        encryption = algorithm.take(der.OBJECT_IDENTIFIER)
        parameters = algorithm.enter()
        algorithm.end()
        derivation, cipher = parameters.enter(), parameters.enter()
        parameters.end()
    except ValueError:
        raise ValueError("this is not an encrypted private key (PKCS#8 with PBES2)") from None
    if encryption != _PBES2:
        raise ValueError("this is not an encrypted private key (PKCS#8 with PBES2)")
    try:
        key_length, iv = _cipher(cipher)
        key = EncryptedKey(_derivation(derivation, key_length), key_length, iv, ciphertext)
    except ValueError:
        raise ValueError("the key is encrypted in a way that Litterbox does not know") from None
    if not _is_bearable(key.derivation):
        raise ValueError("opening the key would take more time or memory than Litterbox allows")
    return key


def decrypt(key: EncryptedKey, password: bytes) -> bytes:
    """The PKCS#8 private key. Raises ValueError; a wrong password can also give what is no key at all."""
    decryptor = Cipher(algorithms.AES(key.derivation.derive(password, key.key_length)), modes.CBC(key.iv)).decryptor()
    unpadder = padding.PKCS7(_BLOCK * 8).unpadder()
    padded = decryptor.update(key.ciphertext) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _cipher(scheme: der.Reader) -> tuple[int, bytes]:
    key_length = _AES_CBC.get(scheme.take(der.OBJECT_IDENTIFIER))
    iv = scheme.take(der.OCTET_STRING)
    scheme.end()
    if key_length is None or len(iv) != _BLOCK:
        raise ValueError("another cipher")
    return key_length, iv


def _derivation(function: der.Reader, key_length: int) -> Pbkdf2 | ScryptCost:
    kind = function.take(der.OBJECT_IDENTIFIER)
    parameters = function.enter()
    function.end()
    salt = parameters.take(der.OCTET_STRING)
    derivation: Pbkdf2 | ScryptCost
    if kind == _SCRYPT:
        derivation = ScryptCost(salt, parameters.number(), parameters.number(), parameters.number())
        _check_key_length(parameters, key_length)
    elif kind == _PBKDF2:
        iterations = parameters.number()
        _check_key_length(parameters, key_length)
        derivation = Pbkdf2(salt, iterations, _hash(parameters))
    else:
        raise ValueError("another key derivation function")
    parameters.end()
    if len(salt) > _MAX_SALT_LENGTH:
        raise ValueError("a salt that is too long")
    return derivation


def _check_key_length(parameters: der.Reader, key_length: int) -> None:
    """The length of the key may be said; then it must be that of the cipher."""
    if parameters.next_tag() == der.INTEGER and parameters.number() != key_length:
        raise ValueError("a key of another length")


def _hash(parameters: der.Reader) -> type[hashes.HashAlgorithm]:
    if parameters.next_tag() is None:
        return hashes.SHA1  # the default (RFC 8018 appendix A.2)
    function = parameters.enter()
    chosen = _HMACS.get(function.take(der.OBJECT_IDENTIFIER))
    if function.next_tag() is not None and function.take(der.NULL):
        raise ValueError("a null with content")
    function.end()
    if chosen is None:
        raise ValueError("another hash")
    return chosen


def _is_bearable(derivation: Pbkdf2 | ScryptCost) -> bool:
    if not 0 < derivation.work <= MAX_WORK:
        return False
    if isinstance(derivation, Pbkdf2):
        return True
    memory = 128 * derivation.block_size * (derivation.cost + derivation.parallelization)
    is_power_of_two = derivation.cost > 1 and derivation.cost.bit_count() == 1
    return is_power_of_two and derivation.cost < 1 << 16 * derivation.block_size and memory <= _MAX_SCRYPT_MEMORY
