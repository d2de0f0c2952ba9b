"""A running box's runtime, looked at by every entry: damage is told, and whatever is no damage is none."""

import os
import shutil

import pytest

from litterbox import files, paths
from litterbox.container.runtime import in_use, manifests, origins
from litterbox.errors import RuntimeBundleError


@pytest.fixture
def folder(tmp_path):
    """A runtime that the box `work` has just been started with."""
    folder = tmp_path / "runtime" / "content-id"
    for name in ("litterbox", "bin/python3", "lib/python/os.pyc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    origin = origins.Origin("python", "3", "guest", ())
    manifests.write(manifests.take(origin, [], [], str(folder)), f"{folder}.json")
    os.symlink(folder, tmp_path / "runtime" / "current")
    files.private_folder(os.path.dirname(paths.runtime_note("work")))
    in_use.note("work", str(tmp_path / "runtime" / "current"))
    return folder


def test_an_untouched_runtime_is_not_read_again(folder, monkeypatch):
    monkeypatch.setattr(manifests, "read", lambda _path: pytest.fail("it was compared"))
    future = os.lstat(paths.runtime_note("work")).st_ctime_ns + 1
    monkeypatch.setattr(in_use, "_last_change", lambda _telling: future - 2)

    in_use.check("work")


@pytest.mark.parametrize("name", ["litterbox", "bin/python3", "lib/python/os.pyc"])
def test_a_missing_file_is_damage(folder, name):
    (folder / name).unlink()

    with pytest.raises(RuntimeBundleError, match="damaged") as caught:
        in_use.check("work")
    assert "litterbox stop work" in caught.value.hint


@pytest.mark.parametrize("name", ["litterbox", "bin/python3"])
def test_a_truncated_file_is_damage(folder, name):
    os.truncate(folder / name, 1)

    with pytest.raises(RuntimeBundleError, match="damaged"):
        in_use.check("work")


def test_a_folder_that_is_gone_is_damage(folder):
    shutil.rmtree(folder)

    with pytest.raises(RuntimeBundleError, match=str(folder)):
        in_use.check("work")


def test_a_new_folder_of_the_same_name_is_not_what_the_box_has_mounted(folder):
    """As when another box was entered meanwhile, which replaces a damaged runtime."""
    shutil.copytree(folder, f"{folder}.new")
    os.rename(folder, f"{folder}.replaced")
    os.rename(f"{folder}.new", folder)

    with pytest.raises(RuntimeBundleError, match="damaged"):
        in_use.check("work")


def test_a_file_that_was_only_touched_is_no_damage(folder):
    os.utime(folder / "litterbox")

    in_use.check("work")


def test_what_it_was_made_from_does_not_matter(folder):
    """An upgrade under a running box changes the sources, and the box goes on."""
    os.utime(folder / "bin" / "python3")
    manifest = manifests.read(f"{folder}.json")
    assert manifest is not None
    assert manifests.renewed(manifest, ["new"], str(folder)) is None

    in_use.check("work")


def test_a_box_without_a_note_is_entered_all_the_same(folder):
    os.unlink(paths.runtime_note("work"))

    in_use.check("work")
