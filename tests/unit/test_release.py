"""tools/release refuses a checkout that is not ready, before it runs any test."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2030-01-02\n\n### Added\n\n- Boxes.\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that is ready for 1.2.3, whose tests fail."""
    for name in ("release", "lib.sh"):
        target = tmp_path / "tools" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "tools" / name, target)
    tests = tmp_path / "tools/test"
    tests.write_text("#!/bin/sh\necho the tests ran\nexit 1\n")
    tests.chmod(0o755)
    package = tmp_path / "guest/litterbox_guest"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=dev", "-c", "user.email=dev@localhost", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Change")


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [folder / "tools/release", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_a_checkout_whose_tests_fail_gets_no_tag(checkout: Path):
    done = release(checkout, "1.2.3")

    assert done.returncode == 1
    assert "the tests ran" in done.stdout
    assert "there is no release" in done.stderr
    assert git(checkout, "tag") == ""


def test_a_tag_that_is_there_is_not_made_again(checkout: Path):
    git(checkout, "tag", "v1.2.3")

    done = release(checkout, "1.2.3")

    assert (done.returncode, done.stdout) == (1, "")
    assert "v1.2.3 exists already" in done.stderr


@pytest.mark.parametrize("version", ["1.2", "v1.2.3", "1.2.3rc1", "1.2.4"])
def test_a_version_that_the_code_does_not_have_is_refused(checkout: Path, version: str):
    done = release(checkout, version)

    assert (done.returncode, done.stdout) == (1, "")
    assert version in done.stderr


def test_uncommitted_changes_are_refused(checkout: Path):
    (checkout / "new").touch()

    done = release(checkout, "1.2.3")

    assert (done.returncode, done.stdout) == (1, "")
    assert "uncommitted changes" in done.stderr


@pytest.mark.parametrize(
    ("changelog", "sentence"),
    [
        (CHANGELOG.replace("[1.2.3] - 2030-01-02", "[1.2.3]"), "no section '## [1.2.3] - YYYY-MM-DD'"),
        (CHANGELOG.replace("[Unreleased]\n", "[Unreleased]\n\n- Windows.\n"), "lines under [Unreleased]"),
    ],
)
def test_a_changelog_that_is_not_ready_is_refused(checkout: Path, changelog: str, sentence: str):
    (checkout / "CHANGELOG.md").write_text(changelog)
    commit(checkout)

    done = release(checkout, "1.2.3")

    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr
