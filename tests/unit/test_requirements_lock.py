"""The lock file of the development environment serves what pyproject.toml requires, on every Python."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def declared() -> list[Requirement]:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    wanted = [
        *pyproject["build-system"]["requires"],
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
    ]
    return [Requirement(text) for text in wanted]


def locked(python: str) -> dict[str, str]:
    """The version of each package that this Python gets, on Linux."""
    environment = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    pins = [Requirement(line.removesuffix("\\")) for line in LOCK.splitlines() if line and line[0] not in " #"]
    return {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==")
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(environment)
    }


@pytest.mark.parametrize("python", PYTHONS)
def test_each_requirement_is_locked_to_a_version_that_it_allows(python: str):
    versions = locked(python)
    environment = {"python_version": python}
    wanted = [one for one in declared() if one.marker is None or one.marker.evaluate(environment)]

    refused = [str(one) for one in wanted if versions.get(canonicalize_name(one.name), "") not in one.specifier]

    assert wanted
    assert refused == [], "run tools/lock"


def test_each_locked_version_has_a_hash_and_none_names_a_registry():
    pins = re.split(r"\n(?=\S)", LOCK.strip())

    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in LOCK
    assert "index-url" not in LOCK
