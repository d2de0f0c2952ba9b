"""Builds one runtime in an empty folder: an interpreter, what it loads and what the guest imports, all relocated.

The folder will be /litterbox-runtime in every box, and stand alone there: nothing of the image is loaded. It knows
nothing of where runtimes are kept, or when one is built.
"""

import json
import os
import py_compile
import shutil
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES

import attrs

from litterbox.container.runtime import module_finder, shared_libraries
from litterbox.container.runtime.origins import EXECUTABLE, GUEST, PACKAGES, Origin, guest_modules
from litterbox.container.runtime.programs import run
from litterbox.errors import RuntimeBundleError

MOUNTED_AT = "/litterbox-runtime"
_INTERPRETER = "bin/python3"
_LIBRARIES = "lib"
_PROGRAM, _FILE = 0o755, 0o644  # permissions; a folder has a program's

# -I: no environment, no user's folders; -S: no site; utf8: no codec is looked up that an image's locale might name.
_SHEBANG = f"#!{MOUNTED_AT}/{_INTERPRETER} -ISXutf8"

# What the commands of the guest use (docs/design.md, "Capabilities") beside what they import at once.
_MARGIN = (
    "array", "base64", "encodings.ascii", "encodings.idna", "encodings.latin_1", "errno", "fcntl", "hashlib", "json",
    "os", "pty", "select", "shlex", "shutil", "signal", "socket", "stat", "struct", "subprocess", "tempfile", "termios",
    "threading", "time", "tty", "urllib.parse",
)  # fmt: skip
# Reached only by import statements for other systems, for developers, or for what the guest does not do.
_UNWANTED = (
    "_aix_support", "_decimal", "_osx_support", "_pydecimal", "argparse", "asyncio", "cffi", "concurrent", "csv",
    "ctypes._aix", "ctypes.macholib", "curses", "decimal", "distutils", "doctest", "email", "ensurepip", "fractions",
    "gettext", "gzip", "http", "lib2to3", "multiprocessing", "optparse", "pdb", "plistlib", "pprint", "py_compile",
    "pydoc", "readline", "rlcompleter", "runpy", "setuptools", "site", "sqlite3", "statistics", "tarfile", "test",
    "tkinter", "trio._core._generated_io_kqueue", "trio._core._generated_io_windows",
    "trio._core._generated_windows_ffi", "trio._core._io_kqueue", "trio._core._io_windows", "trio._core._windows_cffi",
    "trio._subprocess_platform.kqueue", "trio._subprocess_platform.windows", "trio._tests", "trio._wait_for_object",
    "trio._windows_pipes", "trio.testing", "unittest", "venv", "xml", "xmlrpc", "zipfile",
)  # fmt: skip

_BUILDERS = [
    os.path.join(os.path.dirname(__file__), f"{part}.py")
    for part in ("build", "elf_files", "module_finder", "programs", "shared_libraries")
]


@attrs.frozen
class _Module:
    name: str
    file: str
    package: bool

    @property
    def is_extension(self) -> bool:
        return self.file.endswith(tuple(EXTENSION_SUFFIXES))


def build(origin: Origin, folder: str, report: Callable[[str], None]) -> frozenset[str]:
    """Fill the empty `folder` with a runtime that has been seen to work; returns the files it was made from.

    Takes seconds. Raises RuntimeBundleError with what stands in the way, and OSError (a full disk); the folder is
    then of no use.
    """
    loader = shared_libraries.loader(origin.interpreter)
    report("Finding what the guest imports")
    modules, libgcc = _find_modules(origin)
    extensions = [module for module in modules if module.is_extension]
    libraries = shared_libraries.closure(loader, [origin.interpreter, *(m.file for m in extensions), *libgcc])
    libraries |= {os.path.basename(file): file for file in libgcc}

    report(f"Compiling {len(modules) - len(extensions)} modules")
    for entry in _search_path():  # the interpreter complains of a missing lib-dynload, even if it needs none
        os.makedirs(os.path.join(folder, entry), exist_ok=True)
    placed = {module.name: _place_module(module, folder) for module in modules}

    report("Copying the interpreter and its libraries")
    interpreter = os.path.join(folder, _INTERPRETER)
    _copy(origin.interpreter, interpreter)
    for name, file in {**libraries, os.path.basename(loader): loader}.items():
        _copy(file, os.path.join(folder, _LIBRARIES, name))
    shared_libraries.relocate(
        interpreter,
        [placed[module.name] for module in extensions]
        + [os.path.join(folder, _LIBRARIES, name) for name in libraries if not name.startswith("libc.so")],
        loader=os.path.join(MOUNTED_AT, _LIBRARIES, os.path.basename(loader)),
        libraries=os.path.join(MOUNTED_AT, _LIBRARIES),
    )
    _write_executable(folder)
    _open_to_all(folder, {_INTERPRETER, EXECUTABLE, os.path.join(_LIBRARIES, os.path.basename(loader))})

    report("Trying it out")
    _try_out(folder, os.path.basename(loader), guest_modules(origin.guest) + [module.name for module in extensions])
    sources = [origin.interpreter, loader, *libraries.values(), *(module.file for module in modules)]
    return frozenset([*sources, *_BUILDERS])


def _find_modules(origin: Origin) -> tuple[list[_Module], list[str]]:
    """The modules to carry; and the library that glibc loads without being linked to it, where there is one."""
    roots = [*guest_modules(origin.guest), *PACKAGES, *_MARGIN]
    request = json.dumps({"folders": origin.folders, "roots": roots, "unwanted": _UNWANTED})
    command = [origin.interpreter, "-I", "-S", "-B", "-X", "frozen_modules=off", module_finder.__file__]
    answer = json.loads(run(command, "The guest cannot be imported", text=request))
    modules = [_Module(**module) for module in answer["modules"]]
    return modules, [answer["libgcc"]] if answer["libgcc"] else []


def _place_module(module: _Module, folder: str) -> str:
    """Copy or compile the module to its place in `folder`; returns that."""
    *parents, name = module.name.split(".")
    if module.is_extension:
        target = os.path.join(folder, _home(module), *parents, os.path.basename(module.file))
        _copy(module.file, target)
        return target
    source = os.path.join(_home(module), *parents, *([name, "__init__.py"] if module.package else [f"{name}.py"]))
    target = os.path.join(folder, f"{source}c")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about other people's source
        # In the place of its source, which is left out: nothing to compare it with at each start.
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(
            module.file, target, os.path.join(MOUNTED_AT, source), doraise=True, invalidation_mode=unchecked
        )
    return target


def _home(module: _Module) -> str:
    """The folder of sys.path, relative to the runtime, that the module belongs in."""
    stdlib, lib_dynload, site_packages = _search_path()
    if module.name.partition(".")[0] not in sys.stdlib_module_names:
        return site_packages
    return lib_dynload if module.is_extension else stdlib


def _search_path() -> tuple[str, str, str]:
    """sys.path in a runtime, relative to it; the first two are where the interpreter looks for itself."""
    stdlib = os.path.join(sys.platlibdir, os.path.basename(os.path.dirname(os.__file__)))
    return stdlib, os.path.join(stdlib, "lib-dynload"), os.path.join(stdlib, "site-packages")


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)


def _write_executable(folder: str) -> None:
    path = [os.path.join(MOUNTED_AT, entry) for entry in _search_path()]
    with open(os.path.join(folder, EXECUTABLE), "w", encoding="ascii") as file:
        file.write(
            f"{_SHEBANG}\nimport sys\nsys.path[:] = {path}\nfrom {GUEST}.main import main\nsys.exit(main(sys.argv))\n"
        )


def _open_to_all(folder: str, executables: set[str]) -> None:
    """Whatever the umask: the box's root is a user of its own, neither the owner nor in the owner's group."""
    for parent, _, files in os.walk(folder):
        os.chmod(parent, _PROGRAM)
        for file in files:
            path = os.path.join(parent, file)
            os.chmod(path, _PROGRAM if os.path.relpath(path, folder) in executables else _FILE)


def _try_out(folder: str, loader: str, modules: list[str]) -> None:
    """Import everything native and all of the guest, here; raises where it fails, or maps a file of the host."""
    libraries = os.path.join(folder, _LIBRARIES)
    path = [os.path.join(folder, entry) for entry in _search_path()]
    script = (
        f"import sys; sys.path[:] = {path!r}; import importlib\n"
        f"from {GUEST} import libraries; libraries.use_none_of_the_image()\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "sys.stdout.write(open('/proc/self/maps').read())"
    )
    command = [os.path.join(libraries, loader), "--library-path", libraries, os.path.join(folder, _INTERPRETER)]
    maps = run([*command, "-ISXutf8", "-c", script], "The new runtime does not work", environment={"LC_ALL": "C"})
    mapped = {line.split(maxsplit=5)[5] for line in maps.splitlines() if "/" in line}
    if strangers := sorted(file for file in mapped if not file.startswith(f"{folder}/")):
        raise RuntimeBundleError(f"The new runtime is not whole: it needs {', '.join(strangers)} of this machine.")
