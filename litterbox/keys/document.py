"""The text of keys.ron to a `Store`, and back: the boundary, where nothing is taken on trust.

Secrets stay sealed here; whether a key matches what was sealed with it is for the vault to say.
"""

import base64
from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, override

from litterbox.errors import BadBoxName, KeyStoreError, UsageError
from litterbox.keys import attachments, ron
from litterbox.keys.records import (
    RUST_VERSION,
    VERSION,
    Attachment,
    Cost,
    Sealed,
    Store,
    StoredKey,
    Vault,
    is_key_name,
    is_public_key,
)
from litterbox.keys.structure import (
    Misfit,
    fields_of,
    from_struct,
    list_of,
    new_converter,
    read,
    refuse_twice,
    text_of,
)
from litterbox.paths import check_box_name


class RustStoreError(KeyStoreError):
    """The store is one that the Rust Litterbox wrote, and that `rust.conversion` can convert."""


def decode(content: bytes, path: str) -> Store:
    """Read the content of keys.ron; `path` is for the error.

    Raises RustStoreError where a command that asks for the password must convert it first; KeyStoreError, with line
    and column, where it is damaged.
    """
    return read(content, path, lambda document: _CONVERTER.structure(_store_fields(document, path), Store))


def encode(store: Store) -> bytes:
    """Write `store`, which has a vault, as the content of keys.ron."""
    return ron.dumps(_value({"version": VERSION, **_CONVERTER.unstructure(store)})).encode()


def _store_fields(document: ron.Value, path: str) -> dict[str, Any]:
    """The fields of a whole store of our version; raises KeyStoreError where it is of another."""
    fields = fields_of(document)
    # The first Rust Litterbox wrote no version; ours has had no field of that name.
    version = fields.pop("version", 0 if "password_hash" in fields else None)
    if type(version) is not int:
        raise Misfit("missing, or not a whole number", ("version",))
    if version > VERSION:
        raise KeyStoreError(
            f"The key store {path} was written by a newer Litterbox (version {version}).",
            f"Upgrade Litterbox: this one reads version {VERSION}.",
        )
    if version == RUST_VERSION:
        raise RustStoreError(
            f"The key store {path} is the Rust Litterbox's (version {version}), and not converted yet.",
            "'litterbox keys list' converts it: that asks for its password, and keeps a backup.",
        )
    if version < RUST_VERSION:
        raise KeyStoreError(
            f"The key store {path} has version {version}, which Litterbox does not read.",
            "Write its keys to files with the Rust Litterbox 0.4.2 ('litterbox keys export NAME FILE'), move it away, "
            "and import the files here ('litterbox keys import NAME FILE').",
        )
    for field in ("vault", "keys"):  # they have defaults in memory only
        if field not in fields:
            raise Misfit(f"the field {field} is missing")
    return fields


# --- reading, field by field --------------------------------------------------------------------------------


def _bytes(value: object, _type: object = None) -> bytes:
    text = text_of(value)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Misfit("expected base64") from None


def _key_name(value: object, _type: object = None) -> str:
    name = text_of(value)
    if not is_key_name(name):
        raise Misfit("this is not a key's name")
    return name


def _public_key(value: object, _type: object = None) -> str:
    line = text_of(value)
    if not is_public_key(line):
        raise Misfit("this is not an OpenSSH public key of a type that Litterbox keeps")
    return line


def _box_name(value: object, _type: object = None) -> str:
    try:
        return check_box_name(text_of(value))
    except BadBoxName:
        raise Misfit("this is not a box's name") from None


def _hosts(value: object, _type: object = None) -> tuple[str, ...]:
    hosts = tuple(text_of(host) for host in list_of(value))
    try:
        if hosts == attachments.host_patterns(hosts):
            return hosts
    except UsageError:
        pass
    raise Misfit("these are not host patterns")


def _attachments(value: object, _type: object = None) -> tuple[Attachment, ...]:
    attached = tuple(_CONVERTER.structure(list_of(value), list[Attachment]))
    refuse_twice([attachment.box for attachment in attached], "box", "this box is attached twice")
    for index, attachment in enumerate(attached):
        if not attachments.is_restricted(attachment):
            raise Misfit("a key that never asks must say for which hosts", (index, "ask"))
    return attached


def _keys(value: object, _type: object = None) -> tuple[StoredKey, ...]:
    keys = tuple(_CONVERTER.structure(list_of(value), list[StoredKey]))
    refuse_twice([key.name for key in keys], "name", "this name comes twice")
    return keys


def _vault(value: object, _type: object = None) -> Vault:
    return _CONVERTER.structure(value, Vault)


# --- the converter ------------------------------------------------------------------------------------------


def _value(plain: Any) -> ron.Value:
    """What cattrs made of a store, as RON values."""
    match plain:
        case dict():
            return ron.Struct({field: _value(item) for field, item in plain.items()})
        case list() | tuple():
            return [_value(item) for item in plain]
        case bytes():
            return base64.b64encode(plain).decode()
        case int() | str():
            return plain
    raise TypeError(f"nothing in a store is of type {type(plain).__name__}")


def _make_converter() -> cattrs.Converter:
    converter = new_converter()
    converter.register_unstructure_hook(bytes, lambda value: value)
    converter.register_structure_hook(bytes, _bytes)
    for record in (Cost, Sealed, Vault):
        converter.register_structure_hook(record, from_struct(make_dict_structure_fn(record, converter)))
    attachment = make_dict_structure_fn(
        Attachment, converter, box=override(struct_hook=_box_name), hosts=override(struct_hook=_hosts)
    )
    converter.register_structure_hook(Attachment, from_struct(attachment))
    key = make_dict_structure_fn(
        StoredKey,
        converter,
        name=override(struct_hook=_key_name),
        public_key=override(struct_hook=_public_key),
        attachments=override(struct_hook=_attachments),
    )
    converter.register_structure_hook(StoredKey, from_struct(key))
    store = make_dict_structure_fn(
        Store, converter, vault=override(struct_hook=_vault), keys=override(struct_hook=_keys)
    )
    converter.register_structure_hook(Store, store)
    return converter


_CONVERTER = _make_converter()
