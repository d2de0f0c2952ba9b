"""The private key inside a decrypted PKCS#8 (RFC 5958), which may say its public key, too."""

from typing import Final

import asyncssh

from litterbox.keys import formats
from litterbox.keys.rust import der

_ATTRIBUTES: Final = 0xA0  # [0], of PKCS#8's first version; nobody needs them
_PUBLIC_KEY: Final = 0x81  # [1], of its second
_ED25519: Final = bytes.fromhex("06032b6570")  # the whole algorithm identifier (RFC 8410 section 3)
_SEED: Final = 32  # bytes


def read(content: bytes) -> asyncssh.SSHKey:
    """Read PKCS#8 of either version, as the Rust Litterbox wrote both; cryptography reads the first only.

    Raises IdentityError for a key of a type that is not kept, and ValueError for what is no key, or whose two halves
    do not belong together.
    """
    outer = der.Reader(content)
    fields = outer.enter()
    outer.end()
    version, algorithm, private = fields.number(), fields.take(der.SEQUENCE), fields.take(der.OCTET_STRING)
    if fields.next_tag() == _ATTRIBUTES:
        fields.take(_ATTRIBUTES)
    public = fields.take(_PUBLIC_KEY) if version == 1 and fields.next_tag() == _PUBLIC_KEY else None
    fields.end()
    if version > 1:
        raise ValueError("another version of PKCS#8")
    if algorithm == _ED25519 and len(private) == _SEED:
        private = der.encoded(der.OCTET_STRING, private)  # left out by some writers whose keys russh reads
    first_version = [(der.INTEGER, b"\0"), (der.SEQUENCE, algorithm), (der.OCTET_STRING, private)]
    key = formats.read_pkcs8(
        der.encoded(der.SEQUENCE, b"".join(der.encoded(tag, element) for tag, element in first_version))
    )
    if public is not None and not _is_public_half(key, public):
        raise ValueError("the public key is not that of the private one")
    return key


def _is_public_half(key: asyncssh.SSHKey, bits: bytes) -> bool:
    """Say whether a bit string, its count of unused bits first, is what the key's SubjectPublicKeyInfo ends with."""
    fields = der.Reader(key.export_public_key("pkcs8-der")).enter()
    fields.take(der.SEQUENCE)
    return fields.take(der.BIT_STRING) == bits
