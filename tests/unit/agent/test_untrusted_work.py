"""The rules of the agent for what a box can make slow, held over all of its modules."""

import ast
import pathlib
from collections.abc import Iterator

import pytest

import litterbox.agent

MODULES = sorted(pathlib.Path(litterbox.agent.__path__[0]).glob("*.py"))
MATCHERS = {"fnmatch", "re", "glob", "asyncssh.pattern"}
HAS_THREADS = {
    "stored.py": "the user's own keys",
    "lock.py": "a passphrase, one at a time, after somebody was asked",
}


def imports(module: pathlib.Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_modules_are_found():
    assert {"patterns.py", "certificates.py", "known_hosts.py", *HAS_THREADS} <= {module.name for module in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_module_matches_patterns_by_a_library(module):
    assert not MATCHERS.intersection(imports(module))


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_only_what_no_box_can_fill_uses_the_threads_that_the_daemon_needs(module):
    assert ("to_thread" in module.read_text()) is (module.name in HAS_THREADS)
