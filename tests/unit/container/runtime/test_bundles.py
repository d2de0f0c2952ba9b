"""Where runtimes are kept, with a builder that makes three small files: what decides that one is built, and which."""

import errno
import multiprocessing
import os
import shutil
import time
from pathlib import Path

import pytest

from litterbox.container.runtime import build, bundles, manifests, mounts, origins
from litterbox.errors import HostError, RuntimeBundleError


@pytest.fixture(autouse=True)
def mounted(monkeypatch):
    """The names of the runtimes that running boxes have mounted; the test changes the set."""
    names: set[str] = set()
    monkeypatch.setattr(mounts, "mounted", lambda: names)
    return names


@pytest.fixture
def source(tmp_path):
    """What the small runtimes are made from."""
    file = tmp_path / "source.py"
    file.write_text("one")
    return file


@pytest.fixture
def guest(tmp_path, monkeypatch):
    """A guest of one module, in the place of the real one."""
    folder = tmp_path / "guest" / "litterbox_guest"
    folder.mkdir(parents=True)
    (folder / "main.py").touch()
    real = origins.origin()
    origin = origins.Origin(real.interpreter, real.version, str(folder), real.folders)
    monkeypatch.setattr(origins, "origin", lambda: origin)
    return folder


@pytest.fixture
def builds(source, guest, monkeypatch):
    """The builder in place of the real one; lists what it built."""
    done = []

    def small(_origin, folder, _report):
        for name, content in (("litterbox", "#!"), ("bin/python3", "elf"), ("lib/a.pyc", source.read_text())):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(content)
        done.append(folder)
        return frozenset([str(source)])

    monkeypatch.setattr(build, "build", small)
    return done


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "runtime")


def silent(_line):
    pass


def content(bundle):
    folder = Path(bundle.folder)
    return [(folder / name).read_text() for name in ("litterbox", "bin/python3", "lib/a.pyc")]


def test_the_first_use_builds_and_says_so(builds, folder):
    said = []

    bundle = bundles.ensure(said.append, folder=folder)

    assert content(bundle) == ["#!", "elf", "one"]
    assert bundle.folder == os.path.join(folder, "current")
    assert os.path.realpath(bundle.folder) == os.path.join(folder, bundle.content_id)
    assert bundle.executable == os.path.join(bundle.folder, "litterbox")
    assert bundle.size == len("#!elfone")
    assert said
    assert len(builds) == 1


def test_what_stands_is_used_in_silence(builds, folder):
    before = bundles.ensure(silent, folder=folder)
    said = []

    after = bundles.ensure(said.append, folder=folder)

    assert (after, said, len(builds)) == (before, [], 1)


def delete(path):
    os.unlink(path)


def truncate(path):
    os.truncate(path, 1)


def modify_behind_the_clock(path):
    """The same size, and the time of modification put back."""
    status = os.stat(path)
    with open(path, "r+b") as file:
        file.write(b"X")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def close_to_others(path):
    os.chmod(path, 0o600)


def replace_by_a_link(path):
    os.unlink(path)
    os.symlink("/bin/true", path)


def put_a_file_beside(path):
    with open(f"{path}.new", "w", encoding="ascii"):
        pass


@pytest.mark.parametrize(
    "damage", [delete, truncate, modify_behind_the_clock, close_to_others, replace_by_a_link, put_a_file_beside]
)
@pytest.mark.parametrize("name", ["litterbox", "bin/python3", "lib/a.pyc"])
def test_a_damaged_runtime_is_built_anew(builds, folder, damage, name):
    bundle = bundles.ensure(silent, folder=folder)
    damage(os.path.join(bundle.folder, name))

    after = bundles.ensure(silent, folder=folder)

    assert len(builds) == 2
    assert content(after) == ["#!", "elf", "one"]
    assert sum(len(files) for _, _, files in os.walk(os.path.realpath(after.folder))) == 3


@pytest.mark.parametrize("junk", [b"", b"{}", b"0" * 64 + b"\n{}"])
def test_a_runtime_whose_manifest_is_damaged_is_built_anew(builds, folder, junk):
    bundle = bundles.ensure(silent, folder=folder)
    with open(os.path.join(folder, f"{bundle.content_id}.json"), "wb") as file:
        file.write(junk)

    bundles.ensure(silent, folder=folder)

    assert len(builds) == 2


def test_a_running_box_keeps_the_damaged_files_that_it_has_mounted(builds, folder, monkeypatch):
    bundle = bundles.ensure(silent, folder=folder)
    mount = os.open(os.path.realpath(bundle.folder), os.O_PATH)
    monkeypatch.setattr(mounts, "mounted", lambda: {os.path.basename(os.readlink(f"/proc/self/fd/{mount}"))})
    delete(bundle.executable)

    bundles.ensure(silent, folder=folder)
    bundles.prune(folder=folder)

    assert os.listdir(f"/proc/self/fd/{mount}")
    os.close(mount)


def test_a_lost_link_is_put_back_without_building(builds, folder):
    bundle = bundles.ensure(silent, folder=folder)
    os.unlink(bundle.folder)

    after = bundles.ensure(silent, folder=folder)

    assert (after, len(builds)) == (bundle, 1)


def test_a_changed_source_makes_another_runtime(builds, folder, source):
    before = bundles.ensure(silent, folder=folder)
    source.write_text("two")

    after = bundles.ensure(silent, folder=folder)

    assert content(after) == ["#!", "elf", "two"]
    assert before.content_id != after.content_id
    assert os.path.isdir(os.path.join(folder, before.content_id))


def test_going_back_to_an_earlier_source_builds_nothing(builds, folder, source):
    before = bundles.ensure(silent, folder=folder)
    source.write_text("two")
    bundles.ensure(silent, folder=folder)
    source.write_text("one")

    after = bundles.ensure(silent, folder=folder)

    assert (after, len(builds)) == (before, 2)


def test_a_source_that_was_only_touched_makes_none(builds, folder, source):
    bundles.ensure(silent, folder=folder)
    os.utime(source)

    bundles.ensure(silent, folder=folder)

    assert len(builds) == 1


def test_a_copied_runtime_folder_still_stands(builds, folder, tmp_path):
    bundles.ensure(silent, folder=folder)
    copy = str(tmp_path / "restored")
    shutil.copytree(folder, copy, symlinks=True)

    bundle = bundles.ensure(silent, folder=copy)

    assert (content(bundle), len(builds)) == (["#!", "elf", "one"], 1)


def test_a_new_module_of_the_guest_makes_another_runtime(builds, folder, guest):
    bundles.ensure(silent, folder=folder)
    (guest / "new.py").touch()

    bundles.ensure(silent, folder=folder)

    assert len(builds) == 2


def test_a_failed_build_leaves_nothing_and_the_old_one_as_it_was(builds, folder, source, monkeypatch):
    before = bundles.ensure(silent, folder=folder)
    there = sorted(os.listdir(folder))
    source.write_text("two")

    def fill_the_disk(_origin, target, _report):
        with open(os.path.join(target, "half"), "w", encoding="ascii") as file:
            file.write("h")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(build, "build", fill_the_disk)

    with pytest.raises(RuntimeBundleError, match="No space left on device"):
        bundles.ensure(silent, folder=folder)
    assert sorted(os.listdir(folder)) == there
    assert os.readlink(before.folder) == before.content_id


def test_what_a_killed_builder_left_is_never_used_and_goes(builds, folder):
    os.makedirs(os.path.join(folder, ".building-dead", "bin"))

    bundle = bundles.ensure(silent, folder=folder)

    assert os.path.realpath(bundle.folder) == os.path.join(folder, bundle.content_id)
    assert ".building-dead" not in os.listdir(folder)


def test_old_runtimes_go_when_no_box_has_them_mounted(builds, folder, source, mounted):
    old = bundles.ensure(silent, folder=folder)
    mounted.add(old.content_id)
    source.write_text("two")
    new = bundles.ensure(silent, folder=folder)

    assert bundles.prune(folder=folder) == []
    mounted.clear()
    assert bundles.prune(folder=folder) == [old.content_id, f"{old.content_id}.json"]
    assert sorted(os.listdir(folder)) == sorted([".lock", "current", new.content_id, f"{new.content_id}.json"])


def test_upgrades_do_not_accumulate_while_a_box_runs(builds, folder, source, mounted):
    first = bundles.ensure(silent, folder=folder)
    mounted.add(first.content_id)
    for version in range(5):
        source.write_text(str(version))
        last = bundles.ensure(silent, folder=folder)

    runtimes = {name for name in os.listdir(folder) if not name.endswith(".json")} - {".lock", "current"}
    assert {first.content_id, last.content_id} < runtimes
    assert len(runtimes) == 3  # and the one before the last


def test_damaged_runtimes_do_not_accumulate_while_a_box_runs(builds, folder, mounted):
    mounted.add("of-another-root")
    for _ in range(5):
        bundle = bundles.ensure(silent, folder=folder)
        delete(bundle.executable)

    bundles.ensure(silent, folder=folder)

    assert sorted(os.listdir(folder)) == sorted([".lock", "current", bundle.content_id, f"{bundle.content_id}.json"])


def test_a_manifest_that_cannot_be_written_leaves_no_runtime_without_one(builds, folder, monkeypatch):
    def full(_manifest, path):
        raise HostError(f"{path} cannot be written: No space left on device.")

    monkeypatch.setattr(manifests, "write", full)
    for _ in range(3):
        with pytest.raises(HostError):
            bundles.ensure(silent, folder=folder)

    assert os.listdir(folder) == [".lock"]


def test_nothing_goes_where_podman_does_not_say_what_is_mounted(builds, folder, source, monkeypatch):
    old = bundles.ensure(silent, folder=folder)
    monkeypatch.setattr(mounts, "mounted", lambda: None)
    os.mkdir(os.path.join(folder, ".building-dead"))
    source.write_text("two")
    bundles.ensure(silent, folder=folder)

    assert bundles.prune(folder=folder) == []
    assert os.path.isdir(os.path.join(folder, old.content_id))
    assert not os.path.exists(os.path.join(folder, ".building-dead"))  # no box mounts one


def test_a_failure_does_not_claim_that_nothing_was_changed(builds, folder, monkeypatch):
    """The link may have been replaced when its folder cannot be synced."""

    def fail(_folder):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(bundles, "sync_folder", fail)
    with pytest.raises(RuntimeBundleError, match="Input/output error") as caught:
        bundles.ensure(silent, folder=folder)

    assert "changed" not in caught.value.hint


def test_nothing_goes_while_a_container_is_being_started(builds, folder, source, mounted):
    old = bundles.ensure(silent, folder=folder)
    mounted.add(old.content_id)
    source.write_text("two")

    with bundles.lease(silent, folder=folder):
        mounted.clear()
        assert bundles.prune(folder=folder) == []


def test_nothing_to_collect_is_no_error(folder):
    assert bundles.prune(folder=folder) == []


def test_builders_at_the_same_time_build_once(builds, folder, source, tmp_path, monkeypatch):
    log = tmp_path / "built"
    quick = build.build

    def slow(origin, target, report):
        with open(log, "a", encoding="ascii") as file:
            file.write("x")
        time.sleep(0.3)
        return quick(origin, target, report)

    monkeypatch.setattr(build, "build", slow)
    fork = multiprocessing.get_context("fork")
    builders = [fork.Process(target=bundles.ensure, args=(silent,), kwargs={"folder": folder}) for _ in range(5)]

    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()

    assert [builder.exitcode for builder in builders] == [0] * 5
    assert log.read_text() == "x"
