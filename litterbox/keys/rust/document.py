"""The text of a Rust keys.ron to records: the boundary, where nothing is taken on trust. Opens nothing."""

from typing import Final

import attrs
from cattrs.gen import make_dict_structure_fn, override

from litterbox.errors import KeyStoreError
from litterbox.keys import formats
from litterbox.keys.records import RUST_VERSION
from litterbox.keys.rust import password_hash, pbes2
from litterbox.keys.rust.password_hash import PasswordHash
from litterbox.keys.rust.pbes2 import EncryptedKey
from litterbox.keys.structure import Misfit, fields_of, from_struct, list_of, new_converter, read, text_of

_BYTES: Final = range(256)


@attrs.frozen
class RustKey:
    """Any text can be a name, of a key and of a box; no two keys need have different ones."""

    name: str
    encrypted_key: EncryptedKey
    attached_litterboxes: tuple[str, ...]


@attrs.frozen
class RustStore:
    version: int
    password_hash: PasswordHash
    keys: tuple[RustKey, ...]


def decode(content: bytes, path: str) -> RustStore:
    """Read the content of a keys.ron of version 2; `path` is for the error.

    Raises KeyStoreError, with line and column, where it is damaged; also where opening all its keys would take
    longer than anybody waits.
    """
    store = read(content, path, lambda document: _CONVERTER.structure(fields_of(document), RustStore))
    if sum(key.encrypted_key.work for key in store.keys) > pbes2.MAX_WORK:
        raise KeyStoreError(
            f"Opening the keys of {path} would take more time than Litterbox allows.",
            "Somebody may have changed it: restore it from a backup.",
        )
    return store


def _version(value: object, _type: object = None) -> int:
    if value != RUST_VERSION or isinstance(value, bool):
        raise Misfit(f"expected {RUST_VERSION}")
    return RUST_VERSION


def _password_hash(value: object, _type: object = None) -> PasswordHash:
    try:
        return password_hash.parse(text_of(value))
    except Misfit:
        raise
    except ValueError as error:
        raise Misfit(str(error)) from None


def _encrypted_key(value: object, _type: object = None) -> EncryptedKey:
    numbers = list_of(value)
    if len(numbers) > formats.MAX_FILE_SIZE:
        raise Misfit("this is too large to be a private key")
    if not all(type(number) is int and number in _BYTES for number in numbers):
        raise Misfit("expected a list of bytes, each from 0 to 255")
    try:
        return pbes2.parse(bytes(numbers))
    except ValueError as error:
        raise Misfit(str(error)) from None


def _boxes(value: object, _type: object = None) -> tuple[str, ...]:
    return tuple(text_of(box) for box in list_of(value))


def _keys(value: object, _type: object = None) -> tuple[RustKey, ...]:
    return tuple(_CONVERTER.structure(list_of(value), list[RustKey]))


_CONVERTER = new_converter()
_CONVERTER.register_structure_hook(
    RustKey,
    from_struct(
        make_dict_structure_fn(
            RustKey,
            _CONVERTER,
            encrypted_key=override(struct_hook=_encrypted_key),
            attached_litterboxes=override(struct_hook=_boxes),
        )
    ),
)
_CONVERTER.register_structure_hook(
    RustStore,
    make_dict_structure_fn(
        RustStore,
        _CONVERTER,
        version=override(struct_hook=_version),
        password_hash=override(struct_hook=_password_hash),
        keys=override(struct_hook=_keys),
    ),
)
