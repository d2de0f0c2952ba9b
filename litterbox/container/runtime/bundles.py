"""The runtime that boxes mount: built once from the Python that runs Litterbox, kept by content, never half-used.

Old ones are removed by whoever makes another one current, who keeps the one before it, and by `build`. One that a box
has mounted stays.

runtime/CONTENT-ID/         one runtime: its `litterbox` is mounted as /litterbox, the folder as /litterbox-runtime
runtime/CONTENT-ID.json     its manifest
runtime/current             a link to the one that boxes mount
runtime/.lock               held shared by who starts a container, alone by who changes anything here
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator

import attrs

from litterbox import locks, paths
from litterbox.container.runtime import manifests, mounts, origins
from litterbox.container.runtime.manifests import Manifest
from litterbox.container.runtime.origins import Origin
from litterbox.errors import HostError, RuntimeBundleError
from litterbox.files import private_folder, sync_folder

LOCK_TIMEOUT = 300.0  # seconds; whoever builds a runtime takes some ten, and on a slow disk a minute
_ATTEMPTS = 3  # another Litterbox of the same user may point `current` to its own in between
_CURRENT = "current"
_LOCK = ".lock"
_MANIFEST = ".json"
_UNFINISHED = ".building-"
_REPLACED = ".replaced-"


@attrs.frozen
class Bundle:
    """A whole runtime. Mount the link, so that an upgrade arrives at the next start of a container."""

    folder: str  # the link `current`
    executable: str  # `litterbox` in it
    content_id: str
    size: int  # bytes


@contextlib.contextmanager
def lease(report: Callable[[str], None], *, folder: str | None = None) -> Iterator[Bundle]:
    """The runtime, built where it is missing, damaged or out of date, and safe from removal within the block.

    Start containers in the block. Costs milliseconds when the runtime stands; else seconds, in which `report` is told
    what happens, and others wait. Raises RuntimeBundleError with what stands in the way, and HostError where the folder
    cannot be written; a runtime that was current before then still is.
    """
    folder = private_folder(folder or paths.runtime_bundles())
    lock = os.path.join(folder, _LOCK)
    origin = origins.origin()
    for _ in range(_ATTEMPTS):
        with locks.hold(lock, within=LOCK_TIMEOUT, shared=True):
            manifest = _current_manifest(folder, origin)
            if manifest is not None:
                yield _bundle(folder, manifest)
                return
        with locks.hold(lock, within=LOCK_TIMEOUT):
            _install(folder, origin, report)
    raise RuntimeBundleError(f"The runtime in {folder} changes as soon as it is built.", "See what writes there.")


def ensure(report: Callable[[str], None], *, folder: str | None = None) -> Bundle:
    """As `lease`, for who starts nothing: `build`, and tools."""
    with lease(report, folder=folder) as bundle:
        return bundle


def prune(*, folder: str | None = None) -> list[str]:
    """Remove what no box has mounted or will mount again. Returns the names removed.

    Does nothing while somebody builds or starts a container.
    """
    folder = folder or paths.runtime_bundles()
    if not os.path.isdir(folder):
        return []
    descriptor = locks.open_lock(os.path.join(folder, _LOCK))
    try:
        return _remove_old(folder) if locks.try_lock(descriptor) else []
    finally:
        os.close(descriptor)


def is_whole(folder: str) -> bool:
    """Whether a runtime's folder still holds just the files that it was built with."""
    manifest = manifests.read(f"{folder}{_MANIFEST}")
    return manifest is not None and manifests.files_hold(manifest, folder)


def _current_manifest(folder: str, origin: Origin) -> Manifest | None:
    """The manifest of the current runtime, if that is whole and is what this process would build."""
    content_id = _current(folder)
    return _whole(folder, content_id, origin) if content_id else None


def _current(folder: str) -> str:
    try:
        return os.readlink(os.path.join(folder, _CURRENT))
    except OSError:
        return ""


def _whole(folder: str, content_id: str, origin: Origin) -> Manifest | None:
    path = os.path.join(folder, f"{content_id}{_MANIFEST}")
    manifest = manifests.read(path)
    if manifest is None or manifest.origin != origin or manifest.content_id != content_id:
        return None
    now = manifests.renewed(manifest, _guest(origin), os.path.join(folder, content_id))
    if now is not None and now != manifest:
        with contextlib.suppress(HostError):  # then the next start has to read the files again
            manifests.write(now, path)
    return now


def _guest(origin: Origin) -> list[str]:
    return origins.guest_modules(origin.guest)


def _install(folder: str, origin: Origin, report: Callable[[str], None]) -> None:
    """Make the current runtime stand. Called with the lock held alone; somebody else may have done it meanwhile."""
    if _current_manifest(folder, origin):
        return
    kept = [name.removesuffix(_MANIFEST) for name in os.listdir(folder) if name.endswith(_MANIFEST)]
    standing = next((content_id for content_id in kept if _whole(folder, content_id, origin)), None)
    before = _current(folder)
    try:
        _point_to(folder, standing or _build(folder, origin, report))
    except OSError as error:
        raise RuntimeBundleError(
            f"The runtime for boxes cannot be written to {folder}: {error.strerror}.",
            "No box can be started before it is.",
        ) from error
    _remove_old(folder, except_for=before)  # two installations may take turns


def _build(folder: str, origin: Origin, report: Callable[[str], None]) -> str:
    report("Building the runtime that every box mounts (this once, and after upgrades)")
    unfinished = os.path.join(folder, f"{_UNFINISHED}{os.urandom(4).hex()}")
    os.mkdir(unfinished)
    try:
        from litterbox.container.runtime import build  # compilers and such, which a mere start does not need

        sources = build.build(origin, unfinished, report)
        _sync(unfinished)
        manifest = manifests.take(origin, _guest(origin), sources, unfinished)
        final = os.path.join(folder, manifest.content_id)
        # Before the folder has its name: a failure here must not leave a folder that nothing describes.
        manifests.write(manifest, f"{final}{_MANIFEST}")
        if os.path.lexists(final):  # damaged; a running box may have it mounted, so it is not removed yet
            os.rename(final, os.path.join(folder, f"{_REPLACED}{os.urandom(4).hex()}"))
        os.rename(unfinished, final)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    report(f"The runtime is ready: {manifest.size / 1e6:.0f} MB in {len(manifest.files)} files")
    return manifest.content_id


def _sync(folder: str) -> None:
    """Have every byte on the disk before anything points to it."""
    for parent, _, files in os.walk(folder):
        for file in files:
            descriptor = os.open(os.path.join(parent, file), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(parent)


def _point_to(folder: str, content_id: str) -> None:
    temporary = os.path.join(folder, f".{_CURRENT}.{os.urandom(4).hex()}")
    os.symlink(content_id, temporary)
    os.rename(temporary, os.path.join(folder, _CURRENT))
    sync_folder(folder)


def _remove_old(folder: str, *, except_for: str = "") -> list[str]:
    """Remove all but the current runtime, those that are mounted, and one more. Called with the lock held alone.

    Where it cannot be known what is mounted, only what nobody ever finished is removed.
    """
    mounted = mounts.mounted()
    current = _current(folder)
    names = {current, except_for, *(mounted or ())}
    kept = {_LOCK, _CURRENT} | {f"{name}{ending}" for name in names for ending in ("", _MANIFEST)}
    old = sorted(
        name
        for name in os.listdir(folder)
        if name not in kept and (mounted is not None or name.startswith(_UNFINISHED))
    )
    for name in old:
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    return old


def _bundle(folder: str, manifest: Manifest) -> Bundle:
    current = os.path.join(folder, _CURRENT)
    return Bundle(current, os.path.join(current, origins.EXECUTABLE), manifest.content_id, manifest.size)
