"""The text of keys.ron to a `Store`, and back: the boundary, where nothing is taken on trust.

Secrets stay sealed here; whether a key matches what was sealed with it is for the vault to say.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, override

from litterbox.errors import BadBoxName, KeyStoreError
from litterbox.keys import ron
from litterbox.keys.records import (
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
from litterbox.paths import check_box_name

_LONGEST_HOST_PATTERN = 255
_WAY_OUT = (
    "Restore it from a backup, or move it away to begin with an empty store; "
    "a store that is moved away takes its keys with it."
)


def decode(content: bytes, path: str) -> Store:
    """Read the content of keys.ron; `path` is for the error. Raises KeyStoreError, with line and column."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise _damaged(path, line, column, "it is not UTF-8 text") from None
    try:
        document = ron.loads(text)
    except ron.RonError as error:
        raise _damaged(path, error.line, error.column, error.reason) from None
    try:
        return _CONVERTER.structure(_store_fields(document, path), Store)
    except (_MisfitError, cattrs.BaseValidationError) as error:
        misfit = _first_misfit(error)
        reason = f"{_spelled(misfit.path)}: {misfit.reason}" if misfit.path else misfit.reason
        raise _damaged(path, *ron.locate(text, misfit.path), reason) from None


def encode(store: Store) -> bytes:
    """Write `store`, which has a vault, as the content of keys.ron."""
    return ron.dumps(_value({"version": VERSION, **_CONVERTER.unstructure(store)})).encode()


class _MisfitError(ValueError):
    """What is wrong, and where: steps as `ron.locate` takes them."""

    def __init__(self, reason: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


def _spelled(path: tuple[str | int, ...]) -> str:
    """keys[0].name"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _damaged(path: str, line: int, column: int, reason: str) -> KeyStoreError:
    return KeyStoreError(f"The key store {path} is damaged: line {line}, column {column}: {reason}.", _WAY_OUT)


def _store_fields(document: ron.Value, path: str) -> dict[str, Any]:
    """The fields of a whole store of our version; raises KeyStoreError where it is of another."""
    fields = _fields(document)
    version = fields.pop("version", None)
    if type(version) is not int:
        raise _MisfitError("missing, or not a whole number", ("version",))
    if version > VERSION:
        raise KeyStoreError(
            f"The key store {path} was written by a newer Litterbox (version {version}).",
            f"Upgrade Litterbox: this one reads version {VERSION}.",
        )
    if version == 2:
        raise KeyStoreError(
            f"The key store {path} was written by an older Litterbox (version 2); this release cannot convert it yet.",
            "Move it away, make a new store, and import the keys again.",
        )
    if version < VERSION:
        raise KeyStoreError(
            f"The key store {path} has version {version}, which Litterbox does not read.",
            "Move it away, and import the keys again from where they came.",
        )
    for field in ("vault", "keys"):  # they have defaults in memory only
        if field not in fields:
            raise _MisfitError(f"the field {field} is missing")
    return fields


# --- reading, field by field --------------------------------------------------------------------------------


def _fields(value: object) -> dict[str, Any]:
    """The fields of a struct, whether or not it says its name."""
    if isinstance(value, ron.Named):
        value = value.value
    if not isinstance(value, ron.Struct):
        raise _MisfitError("expected a struct: (field: value, …)")
    return dict(value)


def _text(value: object, _type: object = None) -> str:
    if not isinstance(value, str):
        raise _MisfitError("expected a string")
    return value


def _number(value: object, _type: object = None) -> int:
    if type(value) is not int:
        raise _MisfitError("expected a whole number")
    return value


def _bytes(value: object, _type: object = None) -> bytes:
    text = _text(value)
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise _MisfitError("expected base64") from None


def _key_name(value: object, _type: object = None) -> str:
    name = _text(value)
    if not is_key_name(name):
        raise _MisfitError("this is not a key's name")
    return name


def _public_key(value: object, _type: object = None) -> str:
    line = _text(value)
    if not is_public_key(line):
        raise _MisfitError("this is not an OpenSSH public key of a type that Litterbox keeps")
    return line


def _box_name(value: object, _type: object = None) -> str:
    try:
        return check_box_name(_text(value))
    except BadBoxName:
        raise _MisfitError("this is not a box's name") from None


def _hosts(value: object, _type: object = None) -> tuple[str, ...]:
    hosts = tuple(_text(host) for host in _list(value))
    if not all(host and host.isprintable() and len(host) <= _LONGEST_HOST_PATTERN for host in hosts):
        raise _MisfitError("these are not host patterns")
    return hosts


def _attachments(value: object, _type: object = None) -> tuple[Attachment, ...]:
    attachments = tuple(_CONVERTER.structure(_list(value), list[Attachment]))
    _refuse_twice([attachment.box for attachment in attachments], "box", "this box is attached twice")
    return attachments


def _keys(value: object, _type: object = None) -> tuple[StoredKey, ...]:
    keys = tuple(_CONVERTER.structure(_list(value), list[StoredKey]))
    _refuse_twice([key.name for key in keys], "name", "this name comes twice")
    return keys


def _vault(value: object, _type: object = None) -> Vault:
    return _CONVERTER.structure(value, Vault)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise _MisfitError("expected a list: [value, …]")
    return value


def _refuse_twice(names: list[str], field: str, reason: str) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            raise _MisfitError(reason, (index, field))
        seen.add(name)


def _first_misfit(error: BaseException, path: tuple[str | int, ...] = ()) -> _MisfitError:
    """The first fault in what cattrs found, with the whole path to it."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, cattrs.AttributeValidationNote):
            path = (*path, note.name)
        elif isinstance(note, cattrs.IterableValidationNote):
            path = (*path, note.index)
    match error:
        case cattrs.BaseValidationError():
            return _first_misfit(error.exceptions[0], path)
        case cattrs.ForbiddenExtraKeysError():
            field = min(error.extra_fields)
            return _MisfitError("this field is not known here", (*path, field))
        case KeyError():
            return _MisfitError("missing", path)
        case _MisfitError():
            return _MisfitError(error.reason, path + error.path)
    return _MisfitError("this value is not one of those allowed here", path)


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
    """A converter that takes exactly the fields there are, each of exactly its type."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(bytes, lambda value: value)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _number)
    converter.register_structure_hook(bytes, _bytes)
    for record in (Cost, Sealed, Vault):
        converter.register_structure_hook(record, _from_struct(make_dict_structure_fn(record, converter)))
    attachment = make_dict_structure_fn(
        Attachment, converter, box=override(struct_hook=_box_name), hosts=override(struct_hook=_hosts)
    )
    converter.register_structure_hook(Attachment, _from_struct(attachment))
    key = make_dict_structure_fn(
        StoredKey,
        converter,
        name=override(struct_hook=_key_name),
        public_key=override(struct_hook=_public_key),
        attachments=override(struct_hook=_attachments),
    )
    converter.register_structure_hook(StoredKey, _from_struct(key))
    store = make_dict_structure_fn(
        Store, converter, vault=override(struct_hook=_vault), keys=override(struct_hook=_keys)
    )
    converter.register_structure_hook(Store, store)
    return converter


def _from_struct(read: Callable[[Mapping[str, Any], Any], object]) -> Callable[[object, Any], Any]:
    return lambda value, record: read(_fields(value), record)


_CONVERTER = _make_converter()
