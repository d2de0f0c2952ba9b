"""What becomes of the keys of a Rust store in ours: their names, their boxes, and each key once. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import asyncssh
import attrs

from litterbox.errors import BadBoxName
from litterbox.keys import formats, vault
from litterbox.keys.records import Attachment, StoredKey, is_key_name
from litterbox.paths import check_box_name

_MAX_NAME_LENGTH: Final = 64
_MAX_SHOWN_LENGTH: Final = 64
_MAX_SHOWN: Final = 5
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._@+-]+")


@attrs.frozen
class OpenedKey:
    """A key of the Rust store, decrypted."""

    name: str
    key: asyncssh.SSHKey = attrs.field(repr=False)
    boxes: tuple[str, ...]


@attrs.frozen
class TakenOver:
    """The keys as our store holds them; `changes` are sentences about what is not as it was."""

    keys: tuple[StoredKey, ...]
    changes: tuple[str, ...]


def take_over(opened: Sequence[OpenedKey], vault_key: bytes) -> TakenOver:
    """Seal every key under a name that our store allows, attached to the boxes that there can be."""
    once, changes = _each_once(opened)
    names = _names(key.name for key in once)
    keys = []
    for key, name in zip(once, names, strict=True):
        if name != key.name:
            changes.append(f"The key {_shown(key.name)} is called {name} now.")
        boxes = [box for box in dict.fromkeys(key.boxes) if _is_box_name(box)]
        left_out = [box for box in dict.fromkeys(key.boxes) if box not in boxes]
        if left_out:
            changes.append(f"{name} is no longer attached to {_listed(left_out)}: no box can have such a name.")
        keys.append(
            vault.seal(
                formats.private_bytes(key.key),
                vault_key,
                name=name,
                public_key=formats.public_line(key.key, name),
                attachments=tuple(Attachment(box) for box in boxes),
            )
        )
    return TakenOver(tuple(keys), tuple(changes))


def _each_once(opened: Sequence[OpenedKey]) -> tuple[list[OpenedKey], list[str]]:
    """The same key under two names becomes one, with the first name and the boxes of both."""
    once: dict[bytes, OpenedKey] = {}
    changes = []
    for key in opened:
        first = once.setdefault(key.key.public_data, key)
        if first is not key:
            once[key.key.public_data] = attrs.evolve(first, boxes=first.boxes + key.boxes)
            changes.append(
                f"The key {_shown(key.name)} is the same as {_shown(first.name)}, "
                "which now has the attachments of both."
            )
    return list(once.values()), changes


def _names(old: Iterable[str]) -> list[str]:
    """A name for each, all different. An allowed name is kept by the first that has it."""
    old = list(old)
    taken = set(filter(is_key_name, old))
    kept: set[str] = set()
    names = []
    for name in old:
        new = name if name in taken and name not in kept else _free(_allowed(name), taken)
        kept.add(new)
        taken.add(new)
        names.append(new)
    return names


def _allowed(name: str) -> str:
    """The nearest name that a key may have."""
    letters = "".join(filter(lambda letter: not unicodedata.combining(letter), unicodedata.normalize("NFKD", name)))
    return _NOT_IN_A_NAME.sub("-", letters).lstrip("._@+-").rstrip("-")[:_MAX_NAME_LENGTH] or "key"


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[: _MAX_NAME_LENGTH - len(f'-{number}')]}-{number}"
    return free


def _is_box_name(name: str) -> bool:
    try:
        check_box_name(name)
    except BadBoxName:
        return False
    return True


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(_shown, names[:_MAX_SHOWN]))
    return shown if len(names) <= _MAX_SHOWN else f"{shown} and {len(names) - _MAX_SHOWN} more"


def _shown(name: str) -> str:
    """A name as a terminal may see it: what is not printable, direction marks too, as escapes."""
    return repr(name if len(name) <= _MAX_SHOWN_LENGTH else name[: _MAX_SHOWN_LENGTH - 3] + "...")
