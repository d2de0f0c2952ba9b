"""The tables that Podman reads for a box; what happens in a box is tested with one."""

import os

import pytest

from litterbox import paths
from litterbox.container import create, lookup
from litterbox.errors import HostError
from litterbox.settings.box_settings import Settings


def test_the_tables_are_there_before_a_container_starts():
    create.prepare_host_side("work")
    by_target = {mount.target: mount for mount in create.mounts("work", Settings())}
    for name, content in lookup.TABLES.items():
        mount = by_target[f"/etc/{name}"]
        assert mount.read_only
        with open(mount.source) as file:
            assert file.read() == content


def test_a_process_without_such_mounts_is_left_as_it_is():
    lookup.uncover(os.getpid())


def test_a_process_that_is_gone_is_an_error():
    with pytest.raises(HostError, match="ended while it started"):
        lookup.uncover(2**22 + 1)


def test_what_is_mounted_is_found_wherever_the_image_has_it(monkeypatch, tmp_path):
    rows = [
        "1 0 8:1 / / rw - ext4 /dev/x rw",
        "2 1 8:1 /home/me/Litterbox/lookup/passwd /etc/x\\040passwd ro - ext4 /dev/x rw",
        "3 1 8:1 /home/me/Litterbox/lookup/group /etc/group ro - ext4 /dev/x rw",
        "4 1 8:1 /home/me/Litterbox/homes/work /home/user rw - ext4 /dev/x rw",
    ]
    (tmp_path / "mountinfo").write_text("\n".join(rows) + "\n")
    real = open
    monkeypatch.setattr("builtins.open", lambda path, *a, **k: real(path.replace("/proc/7", str(tmp_path)), *a, **k))
    assert lookup._covered(7) == [b"/etc/x passwd", b"/etc/group"]
    assert os.path.basename(paths.lookup_tables()) == "lookup"
