"""The container sees exactly what the design lists; a change of it is told in words."""

import csv
import os

from litterbox import paths, sessions
from litterbox.container import create
from litterbox.container.create import Mount
from litterbox.container.settings import Settings

PODMAN_5 = (5, 4, 2)


def test_the_mounts_are_the_designs_and_no_more():
    uid = os.getuid()
    targets = {mount.target: mount.read_only for mount in create.mounts("work", Settings())}
    assert targets == {
        "/litterbox": True,
        "/litterbox-runtime": True,
        "/session.lock": True,
        "/home/user": False,
        f"/run/user/{uid}/litterbox": True,
        "/etc/passwd": True,
        "/etc/group": True,
    }


def test_wayland_and_pipewire_are_mounted_where_granted(monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    granted = Settings(wayland=True, pipewire=True)
    by_target = {mount.target: mount.source for mount in create.mounts("work", granted)}
    assert by_target[f"/run/user/{os.getuid()}/wayland-0"] == f"{paths.user_runtime()}/wayland-7"
    assert by_target["/tmp/pipewire-0"] == f"{paths.user_runtime()}/pipewire-0"
    assert create.environment("work", granted)["WAYLAND_DISPLAY"] == "wayland-0"
    assert "WAYLAND_DISPLAY" not in create.environment("work", Settings())


def test_a_path_with_a_comma_stays_one_path():
    argument = Mount(source="/home/a,ro=false", target="/x").argument()
    assert next(csv.reader([argument])) == ["type=bind", "src=/home/a,ro=false", "dst=/x", "ro=true"]


def test_the_network_is_the_settings_else_podmans_default():
    assert "--network=none" in create.options("work", Settings(network="none"), PODMAN_5)
    assert "--network=pasta" in create.options("work", Settings(), PODMAN_5)
    assert "--network=slirp4netns" in create.options("work", Settings(), (4, 3, 1))


def test_an_unchanged_container_has_no_differences():
    wanted = create.options("work", Settings(), PODMAN_5)
    made_with = ["podman", "create", "--replace", "--name=lbx-work.new", *wanted, "localhost/lbx-work:latest"]
    assert create.changed(made_with, wanted) == []


def test_a_changed_setting_is_told_in_words():
    made_with = create.options("work", Settings(network="pasta"), PODMAN_5)
    wanted = create.options("work", Settings(network="none"), PODMAN_5)
    assert create.changed(made_with, wanted) == ["--network=none is new", "--network=pasta is gone"]


def test_another_compositor_socket_alone_is_no_difference(monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-1")
    made_with = create.options("work", Settings(wayland=True), PODMAN_5)
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert create.changed(made_with, create.options("work", Settings(wayland=True), PODMAN_5)) == []


def test_the_host_side_is_prepared_privately_and_twice_the_same():
    for _ in range(2):
        create.prepare_host_side("work")
    assert os.stat(paths.home("work")).st_mode & 0o777 == 0o700
    assert os.stat(paths.sockets("work")).st_mode & 0o777 == 0o700
    assert os.stat(paths.session_lock("work")).st_size == sessions.SIZE
