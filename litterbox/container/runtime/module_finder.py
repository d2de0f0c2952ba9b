"""Finds the modules that the guest's commands need. Run by the interpreter that the runtime is made of:

    python -I -S -B -X frozen_modules=off module_finder.py < REQUEST > ANSWER

REQUEST is JSON: `folders` to import from beside the standard library, `roots` to import, `unwanted` packages.
ANSWER is JSON: `modules`, each with name, file and whether it is a package, and the file of `libgcc`, null without.

The answer holds what importing the roots imports, and what these modules might import later: inside functions, or
under conditions that did not hold. Stands alone: the standard library only.
"""

import ctypes
import dis
import importlib.util
import json
import sys
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder

_IN_INTERPRETER = {"built-in", "frozen"}


def main() -> None:
    request = json.load(sys.stdin)
    sys.path += request["folders"]
    specs = _imported(request["roots"])
    _add_later_imports(specs, frozenset(request["unwanted"]))
    modules = [
        {"name": name, "file": spec.origin, "package": spec.submodule_search_locations is not None}
        for name, spec in sorted(specs.items())
        if spec.origin is not None and spec.origin not in _IN_INTERPRETER
    ]
    json.dump({"modules": modules, "libgcc": _libgcc()}, sys.stdout)


def _imported(roots: list[str]) -> dict[str, ModuleSpec]:
    for root in roots:
        importlib.import_module(root)
    specs = {}
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is not None and spec.name != name:
            spec = _find(name)  # another module's second name, and perhaps a file too: collections.abc, os.path
        if spec is not None:
            specs[name] = spec
    return specs


def _add_later_imports(specs: dict[str, ModuleSpec], unwanted: frozenset[str]) -> None:
    """Follow the import statements of every module, whether run or not, and of those they lead to.

    They may lead anywhere in the standard library but to what is unwanted, and to no package that is not in use.
    """
    allowed = {name.partition(".")[0] for name in specs} | sys.stdlib_module_names
    todo = list(specs)
    while todo:
        name = todo.pop()
        for found in _mentioned(name, specs[name]):
            if found in specs or found.partition(".")[0] not in allowed or not unwanted.isdisjoint(_lineage(found)):
                continue
            spec = _find(found)
            if spec is not None:
                specs[found] = spec
                todo.append(found)


def _mentioned(name: str, spec: ModuleSpec) -> Iterator[str]:
    """The full names of what the module's code imports; of a `from` import, its names too: they may be modules."""
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(name) if get_code is not None and spec.origin not in _IN_INTERPRETER else None
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    for level, target, wanted in _imports(code) if code else ():
        try:
            base = importlib.util.resolve_name("." * level + target, package) if level else target
        except ImportError:
            continue
        yield from _lineage(base)
        yield from (f"{base}.{word}" for word in wanted if word != "*")


def _imports(code: types.CodeType) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Each import in the code: its level and what is asked of it, the two constants before it, and its name."""
    constants: list[object] = []
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_CONST", "LOAD_SMALL_INT"}:
            constants.append(step.argval)
        elif step.opname == "IMPORT_NAME":
            level, wanted = constants[-2:]
            yield level if isinstance(level, int) else 0, step.argval, wanted if isinstance(wanted, tuple) else ()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _imports(constant)


def _lineage(name: str) -> list[str]:
    """`a.b.c`: `a`, `a.b` and `a.b.c`."""
    words = name.split(".")
    return [".".join(words[: end + 1]) for end in range(len(words))]


def _find(name: str) -> ModuleSpec | None:
    """Where the module would come from; None where nothing has that name."""
    parent = name.rpartition(".")[0]
    try:
        if not parent:
            return importlib.util.find_spec(name)
        return PathFinder.find_spec(name, importlib.import_module(parent).__path__)
    except (ImportError, AttributeError, ValueError):  # the parent is not for this system, or is no package
        return None


def _libgcc() -> str | None:
    """The file that glibc loads, without being linked to it, when a thread ends early."""
    try:
        ctypes.CDLL("libgcc_s.so.1")
    except OSError:
        return None
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return next((line.split(maxsplit=5)[5].strip() for line in maps if "/libgcc_s.so.1" in line), None)


if __name__ == "__main__":
    main()
