"""What a runtime is made from: this Python, and the guest's modules and packages as this process would import them.

Asked before every start of a container, so it finds things without importing them.
"""

import importlib.util
import os
import sys

import attrs

from litterbox.errors import RuntimeBundleError

EXECUTABLE = "litterbox"  # the file in a runtime that is mounted as /litterbox
GUEST = "litterbox_guest"
PACKAGES = ("trio", "attr", "attrs", "cattrs", "pyinotify")
REINSTALL = "Install Litterbox anew, with its dependencies."


@attrs.frozen
class Origin:
    """What a runtime is made from. The same origin, its files unchanged, makes the same runtime."""

    interpreter: str  # the program's file
    version: str  # sys.version
    guest: str  # the folder of the guest's package
    folders: tuple[str, ...]  # where the guest and its packages are imported from


def origin() -> Origin:
    """What this process would make a runtime from; raises RuntimeBundleError where the guest is not installed."""
    specs = {name: importlib.util.find_spec(name) for name in (GUEST, *PACKAGES)}
    files = {name: spec.origin for name, spec in specs.items() if spec is not None and spec.origin is not None}
    if missing := sorted(set(specs) - set(files)):
        raise RuntimeBundleError(f"Litterbox is not wholly installed: {', '.join(missing)} is missing.", REINSTALL)
    folders = {name: _import_folder(file) for name, file in files.items()}
    return Origin(
        interpreter=os.path.realpath("/proc/self/exe"),
        version=sys.version,
        guest=os.path.join(folders[GUEST], GUEST),
        folders=tuple(dict.fromkeys(folders.values())),
    )


def guest_modules(guest: str) -> list[str]:
    """The names of all modules in the guest's folder."""
    names = []
    for folder, _, files in os.walk(guest):
        package = os.path.relpath(folder, os.path.dirname(guest)).replace(os.sep, ".")
        names += [f"{package}.{file[:-3]}" for file in files if file.endswith(".py") and file != "__init__.py"]
    return sorted(names)


def _import_folder(file: str) -> str:
    folder, name = os.path.split(file)
    return os.path.dirname(folder) if name == "__init__.py" else folder
