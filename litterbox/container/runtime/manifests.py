"""What is known of a runtime beside its files: what it was made from, what it consists of, and whether both still hold.

A file counts as unchanged while its size, times and inode are; else its content decides. So looking costs
milliseconds, and a restored backup or a touched source does not make a new runtime.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping

import attrs
import cattrs

from litterbox.container.runtime.origins import Origin
from litterbox.files import write_atomically

_FORMAT = 1
_converter = cattrs.Converter(forbid_extra_keys=True)


@attrs.frozen
class FileState:
    """A file as it was: its content, its permissions, and what tells cheaply that nobody has touched it since."""

    sha256: str
    mode: int
    size: int
    inode: int
    modified: int  # nanoseconds since the epoch, as is the next
    changed: int


@attrs.frozen
class Manifest:
    format: int
    origin: Origin
    guest: tuple[str, ...]  # the guest's modules, by name: a new one makes another runtime
    sources: dict[str, FileState]  # by absolute path
    files: dict[str, FileState]  # by path relative to the runtime's folder

    @property
    def content_id(self) -> str:
        """The name of a runtime that consists of exactly these files."""
        whole = [(name, state.mode, state.sha256) for name, state in sorted(self.files.items())]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:20]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(state.size for state in self.files.values())


def take(origin: Origin, guest: Iterable[str], sources: Iterable[str], folder: str) -> Manifest:
    """The manifest of the runtime in `folder`, just built."""
    files = {name: _look(os.path.join(folder, name)) for name in _names(folder)}
    return Manifest(_FORMAT, origin, tuple(guest), {path: _look(path) for path in sorted(sources)}, files)


def renewed(manifest: Manifest, guest: Iterable[str], folder: str) -> Manifest | None:
    """The manifest as it holds today, equal to `manifest` when nothing was touched; None when it no longer holds."""
    if manifest.guest != tuple(guest):
        return None
    try:
        files = _files_now(manifest, folder)
        sources = {path: _again(path, state) for path, state in manifest.sources.items()}
    except OSError:
        return None
    now = attrs.evolve(manifest, files=files, sources=sources)
    return now if now.content_id == manifest.content_id and _same(sources, manifest.sources) else None


def files_hold(manifest: Manifest, folder: str) -> bool:
    """Whether the runtime in `folder` consists of the manifest's files, whatever it was made from looks like today."""
    try:
        return attrs.evolve(manifest, files=_files_now(manifest, folder)).content_id == manifest.content_id
    except OSError:
        return False


def read(path: str) -> Manifest | None:
    """The manifest in the file at `path`; None where there is none, or it is damaged, or of another format."""
    try:
        with open(path, "rb") as file:
            digest, _, body = file.read().partition(b"\n")
        if digest.decode("ascii") != hashlib.sha256(body).hexdigest():
            return None
        return _converter.structure(json.loads(body), Manifest)
    except (OSError, ValueError, cattrs.BaseValidationError):
        return None


def write(manifest: Manifest, path: str) -> None:
    body = json.dumps(_converter.unstructure(manifest)).encode()
    write_atomically(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def _files_now(manifest: Manifest, folder: str) -> dict[str, FileState]:
    """The runtime's files as they are. Raises OSError where one is missing, or there is one too many."""
    if sorted(manifest.files) != _names(folder):
        raise FileNotFoundError(folder)
    return {name: _again(os.path.join(folder, name), state) for name, state in manifest.files.items()}


def _same(one: Mapping[str, FileState], other: Mapping[str, FileState]) -> bool:
    return {path: state.sha256 for path, state in one.items()} == {p: state.sha256 for p, state in other.items()}


def _names(folder: str) -> list[str]:
    """Every file below `folder`, relative to it, in order. A link or a device is a file here, and fits no manifest."""
    names = []
    for parent, _, files in os.walk(folder):
        names += [os.path.relpath(os.path.join(parent, file), folder) for file in files]
    return sorted(names)


def _again(path: str, before: FileState) -> FileState:
    """`before` itself when the file is untouched, else the file's state now."""
    status = os.lstat(path)
    cheap = (status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, stat.S_IMODE(status.st_mode))
    if cheap == (before.size, before.inode, before.modified, before.changed, before.mode):
        return before
    return _look(path)


def _look(path: str) -> FileState:
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        return FileState(
            sha256=hashlib.file_digest(file, "sha256").hexdigest(),
            mode=stat.S_IMODE(status.st_mode),
            size=status.st_size,
            inode=status.st_ino,
            modified=status.st_mtime_ns,
            changed=status.st_ctime_ns,
        )
