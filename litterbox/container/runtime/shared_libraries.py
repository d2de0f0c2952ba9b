"""The native half of a runtime: its loader, the closure of its libraries, and cutting both loose from the host."""

import os
import sys

from litterbox.container.runtime import elf_files
from litterbox.container.runtime.programs import patchelf, run
from litterbox.errors import RuntimeBundleError

_WORTH_TRIMMING = 64 * 1024  # bytes; a file that would lose less stays as its distribution made it


def loader(interpreter: str) -> str:
    """The loader that the interpreter names; raises RuntimeBundleError where no runtime can be made of it."""
    try:
        path = elf_files.loader(interpreter)
    except (OSError, elf_files.NotElf) as error:
        raise RuntimeBundleError(f"The running Python cannot be read: {interpreter}: {error}.") from error
    if sys.implementation.name != "cpython" or path is None or os.path.basename(path).startswith("ld-musl"):
        raise RuntimeBundleError(
            f"No runtime for boxes can be made of {interpreter}: it is not a CPython linked to glibc.",
            "Install Litterbox with such a Python: that of Debian, Fedora, Arch, pyenv or uv, among others.",
        )
    return path


def closure(loader: str, files: list[str]) -> dict[str, str]:
    """By the name it is loaded under, the file of each library that `files` need, themselves or through others.

    As the loader itself finds them on this host. Raises RuntimeBundleError where one is missing.
    """
    found: dict[str, str] = {}
    for file in files:
        listing = run([loader, "--list", file], f"The libraries of {file} cannot be found")
        for line in listing.splitlines():
            name, arrow, target = line.strip().partition(" => ")
            if target == "not found":
                raise RuntimeBundleError(f"A library is missing on this machine: {name}, which {file} needs.")
            if arrow and target.startswith("/") and os.path.basename(name) != os.path.basename(loader):
                found[name] = target.rpartition(" (")[0]
    return found


def relocate(interpreter: str, others: list[str], *, loader: str, libraries: str) -> None:
    """Make the interpreter use `loader` and search `libraries` first, and no library anywhere else.

    The interpreter's DT_RPATH holds for everything that it loads, unless what it loads has a path of its own: that
    is removed. All else stays as it was, but for what no loader reads.
    """
    set_path = ["--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries]
    run([patchelf(), *set_path, interpreter], "The interpreter cannot be made relocatable")
    run([patchelf(), "--remove-rpath", *others], "The libraries cannot be made relocatable")
    for file in (interpreter, *others):
        _trim(file)


def _trim(path: str) -> None:
    with open(path, "rb") as file:
        content = file.read()
    trimmed = elf_files.trimmed(content)
    if len(content) - len(trimmed) >= _WORTH_TRIMMING:
        with open(path, "wb") as file:
            file.write(trimmed)
