"""Taking over the former layout of definitions, in which all boxes shared one build context.

definitions/NAME.Dockerfile becomes definitions/NAME/Dockerfile. What the Dockerfile copies is copied into that folder
first, and the Dockerfile is moved last: whoever is interrupted begins again, and nothing is ever removed.
"""

import filecmp
import glob
import os
import shutil
import sys
from collections.abc import Iterator

from litterbox import files, locks, paths
from litterbox.container import dockerfile
from litterbox.errors import DockerfileError, HostError, LitterboxError

LOCK_TIMEOUT = 30.0  # seconds; whoever takes a definition over copies the files that it names
_IGNORE_FILES = (".containerignore", ".dockerignore")


def take_over(name: str) -> None:
    """Move the definition of the box to its own folder; does nothing where it is there, or nowhere.

    Tells the user what was done. Raises LitterboxError where two files claim one place: nothing is overwritten.
    """
    former, now = paths.former_dockerfile(name), paths.dockerfile(name)
    if not os.path.lexists(former):
        return
    with locks.hold(os.path.join(paths.root(), ".definitions.lock"), within=LOCK_TIMEOUT):
        if not os.path.lexists(former):
            return
        try:
            _check_one_dockerfile(name, former, now)
            copied, missing = _copy_sources(name, former)
            _move(former, now)
        except OSError as error:
            raise HostError(f"The definition of {name} cannot be moved to {now}: {error.strerror}.") from error
    also = f", and copied there what it copies: {', '.join(copied)}" if copied else ""
    _say(f"The definition of {name} has a folder of its own now: moved {former} to {now}{also}.")
    if missing:
        _say(f"The Dockerfile of {name} copies {', '.join(missing)}: put that into {paths.build_context(name)}.")


def _check_one_dockerfile(name: str, former: str, now: str) -> None:
    if not os.path.lexists(now) or (os.path.islink(now) and os.path.realpath(now) == os.path.realpath(former)):
        return
    raise LitterboxError(
        f"The box {name} has two Dockerfiles: {former} and {now}.", "Move away the one that is not the box's."
    )


def _copy_sources(name: str, former: str) -> tuple[list[str], list[str]]:
    """Copy what the Dockerfile takes from the folder of definitions; returns what was copied, and what is not there."""
    with open(former, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    try:
        sources = dockerfile.copied(text)
    except DockerfileError:
        sources = []  # a build would fail too, and say why
    files.private_folder(paths.build_context(name))
    copied: list[str] = []
    missing = []
    for source in sources:
        found = [place for place in _matches(source) if _may_be_copied(name, place)]
        missing += [] if found else [ascii(source)]
        for place in found:
            copied += _copy(name, place)
    for ignore_file in _IGNORE_FILES if copied else ():
        if os.path.isfile(os.path.join(paths.definitions(), ignore_file)):
            copied += _copy(name, ignore_file)
    return sorted({place.partition("/")[0] for place in copied}), missing


def _matches(source: str) -> list[str]:
    """What a source means, relative to the folder of definitions; "." becomes what the folder holds."""
    place = os.path.normpath(f"/{source}").lstrip("/")
    if not place:
        return sorted(os.listdir(paths.definitions()))
    if os.path.lexists(os.path.join(paths.definitions(), place)):
        return [place]
    return sorted(glob.glob(place, root_dir=paths.definitions(), include_hidden=True))


def _may_be_copied(name: str, place: str) -> bool:
    """Whether the place is in the folder of definitions, and is no box's Dockerfile, settings or build context."""
    folder = os.path.realpath(paths.definitions())
    real = os.path.realpath(os.path.join(folder, place))
    first = os.path.relpath(real, folder).partition("/")[0]
    if os.path.commonpath([real, folder]) != folder or first.endswith((paths.FORMER_DOCKERFILE, ".toml")):
        return False
    is_context = paths.is_box_name(first) and os.path.lexists(os.path.join(folder, first, "Dockerfile"))
    return os.path.lexists(real) and not is_context and real not in (folder, os.path.join(folder, name))


def _copy(name: str, place: str) -> list[str]:
    """Copy a file, or a folder with all that is in it; returns the files copied, relative to the build context."""
    definitions, context = paths.definitions(), paths.build_context(name)
    copied = []
    for source in _files_below(os.path.realpath(os.path.join(definitions, place))):
        inside = os.path.relpath(source, os.path.realpath(os.path.join(definitions, place)))
        target = os.path.normpath(os.path.join(context, place, inside))
        _make_folders(os.path.dirname(source), os.path.dirname(target))
        if not os.path.lexists(target):
            _copy_file(source, target)
        elif os.path.islink(source) or not filecmp.cmp(source, target, shallow=False):
            raise LitterboxError(
                f"The Dockerfile of {name} copies {source}, but {target} is another file.",
                "Move one of the two away, or make them alike.",
            )
        copied.append(os.path.relpath(target, context))
    return copied


def _files_below(path: str) -> Iterator[str]:
    """The file itself, or each file and link in a folder; nothing for what can be no part of an image."""
    if os.path.islink(path) or os.path.isfile(path):
        yield path
    elif os.path.isdir(path):
        for entry in sorted(os.listdir(path)):
            yield from _files_below(os.path.join(path, entry))


def _make_folders(source: str, target: str) -> None:
    if not os.path.isdir(target):
        os.makedirs(target)
        shutil.copymode(source, target)


def _copy_file(source: str, target: str) -> None:
    """Copy so that `target` is there whole, or not at all."""
    temporary = f"{os.path.dirname(target)}/.{os.path.basename(target)}.{os.urandom(4).hex()}"
    try:
        shutil.copy2(source, temporary, follow_symlinks=False)
        if not os.path.islink(temporary):
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
        os.rename(temporary, target)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
    files.sync_folder(os.path.dirname(target))


def _move(former: str, now: str) -> None:
    """Move the Dockerfile. A link is made anew, since a relative one would lead elsewhere from its new place."""
    if os.path.islink(former):
        if not os.path.lexists(now):
            os.symlink(os.path.realpath(former), now)
        files.sync_folder(os.path.dirname(now))
        os.unlink(former)
    else:
        os.rename(former, now)
        files.sync_folder(os.path.dirname(now))
    files.sync_folder(os.path.dirname(former))


def _say(sentence: str) -> None:
    print(f"litterbox: {sentence}", file=sys.stderr)
