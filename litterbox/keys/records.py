"""What the key store holds, as data: keys, what they are attached to, and the wrapped vault key."""

import base64
import binascii
import hashlib
import re
import struct
from typing import Final, Literal, TypeAlias

import attrs

VERSION: Final = 3  # of keys.ron
RUST_VERSION: Final = 2  # the Rust Litterbox's last, which is converted; its earlier ones are not read

Ask: TypeAlias = Literal["always", "once", "never"]
KeyType: TypeAlias = Literal["ed25519", "ecdsa", "rsa"]

_KEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_MAX_PUBLIC_LINE_LENGTH = 8192  # a 16,384-bit RSA key takes 2,800
_CURVE_BITS = {"ecdsa-sha2-nistp256": 256, "ecdsa-sha2-nistp384": 384, "ecdsa-sha2-nistp521": 521}
_FIELDS = {"ssh-ed25519": 2, "ssh-rsa": 3, **dict.fromkeys(_CURVE_BITS, 3)}  # in a public key on the wire


@attrs.frozen
class Cost:
    """How much work Argon2id does (RFC 9106 section 3.1: t, p and m)."""

    iterations: int
    lanes: int
    memory_kib: int


@attrs.frozen
class Sealed:
    """What an AEAD gave: the nonce it was given, and ciphertext with tag."""

    nonce: bytes
    ciphertext: bytes


@attrs.frozen
class Vault:
    """The vault key, wrapped by a key that Argon2id derives from the password and `salt`."""

    kdf: Literal["argon2id"]
    cost: Cost
    salt: bytes
    wrapped_key: Sealed


@attrs.frozen
class Attachment:
    """One box that may use a key: for `hosts` only where there are any, confirmed as often as `ask` says."""

    box: str
    hosts: tuple[str, ...] = ()
    ask: Ask = "always"


@attrs.frozen
class StoredKey:
    """One key. `public_key` is its OpenSSH line: algorithm, base64, comment. `sealed` holds PKCS#8 DER."""

    name: str
    public_key: str
    sealed: Sealed = attrs.field(repr=False)
    attachments: tuple[Attachment, ...] = ()

    @property
    def algorithm(self) -> str:
        """The name of the key's type on the wire, "ssh-ed25519"."""
        return self.public_key.split(" ", 1)[0]

    @property
    def blob(self) -> bytes:
        """The public key on the wire (RFC 4253 section 6.6), as agents list it."""
        return base64.b64decode(self.public_key.split(" ", 2)[1])

    @property
    def comment(self) -> str:
        return self.public_key.split(" ", 2)[2] if self.public_key.count(" ") > 1 else ""

    @property
    def fingerprint(self) -> str:
        """The key's SHA-256 as `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(self.blob).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def type(self) -> KeyType:
        if self.algorithm == "ssh-rsa":
            return "rsa"
        return "ed25519" if self.algorithm == "ssh-ed25519" else "ecdsa"

    @property
    def bits(self) -> int:
        if self.type == "rsa":
            modulus = ssh_strings(self.blob)[2]
            return int.from_bytes(modulus, "big").bit_length()
        return _CURVE_BITS.get(self.algorithm, 256)

    def attachment(self, box: str) -> Attachment | None:
        return next((attachment for attachment in self.attachments if attachment.box == box), None)


@attrs.frozen
class Store:
    """The whole of keys.ron. `vault` is None only where no store has been made yet."""

    vault: Vault | None = None
    keys: tuple[StoredKey, ...] = ()

    def key(self, name: str) -> StoredKey | None:
        return next((key for key in self.keys if key.name == name), None)

    def attached_to(self, box: str) -> tuple[StoredKey, ...]:
        return tuple(key for key in self.keys if key.attachment(box))


def is_key_name(name: str) -> bool:
    return _KEY_NAME.fullmatch(name) is not None


def is_public_key(line: str) -> bool:
    """Say whether `line` is an OpenSSH public key line of a type that the store keeps, without options."""
    if len(line) > _MAX_PUBLIC_LINE_LENGTH or not line.isprintable():
        return False
    algorithm, _, rest = line.partition(" ")
    try:
        fields = ssh_strings(base64.b64decode(rest.split(" ", 1)[0], validate=True))
    except (binascii.Error, ValueError):
        return False
    return fields[:1] == [algorithm.encode()] and len(fields) == _FIELDS.get(algorithm)


def ssh_strings(data: bytes) -> list[bytes]:
    """Split data that is nothing but SSH strings (RFC 4251 section 5); raises ValueError where it is not."""
    strings: list[bytes] = []
    at = 0
    while at < len(data):
        if len(data) < at + 4:
            raise ValueError("a length is cut short")
        (length,) = struct.unpack_from(">I", data, at)
        at += 4
        if len(data) < at + length:
            raise ValueError("a string is cut short")
        strings.append(data[at : at + length])
        at += length
    return strings
