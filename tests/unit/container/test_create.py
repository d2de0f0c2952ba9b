"""The container sees exactly what docs/design.md, "Mounts", lists; a change of it is told in words."""

import csv
import json
import os
import resource

import attrs
import pytest

from litterbox import paths, sessions
from litterbox.container import create, hardening, lookup, namespace, podman
from litterbox.container.mounts import Mount, mounts
from litterbox.errors import HostError, LitterboxError, PodmanError
from litterbox.settings.box_settings import Settings

PODMAN_5 = (5, 4, 2)

# Each permission that is fixed when the container is made, with the settings that give it.
GRANTS = [{"wayland": True}, {"pipewire": True}, {"nested": True}, {"network": "host"}, {"network": "none"}]


@pytest.fixture
def made(monkeypatch):
    """A function that says which options the container of the box was made with, as Podman keeps them."""
    command = []

    def inspect(*words):
        if words[0] == "image":
            return "sha256:1\n"
        return {"{{.Image}}": "sha256:1\n", "{{json .Config.CreateCommand}}": json.dumps(command)}[words[3]]

    monkeypatch.setattr(podman, "exists", lambda *_: True)
    monkeypatch.setattr(podman, "version", lambda: PODMAN_5)
    monkeypatch.setattr(podman, "run", inspect)

    def make(settings):
        options = create.options("work", settings, PODMAN_5)
        command[:] = ["podman", "create", "--replace", "--name=lbx-work.new", *options, "localhost/lbx-work:latest"]

    return make


def test_the_mounts_are_those_of_the_design_and_no_more():
    uid = os.getuid()
    targets = {mount.target: mount.read_only for mount in mounts("work", Settings())}
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
    by_target = {mount.target: mount.source for mount in mounts("work", granted)}
    assert by_target[f"/run/user/{os.getuid()}/wayland-0"] == f"{paths.user_runtime()}/wayland-7"
    assert by_target["/tmp/pipewire-0"] == f"{paths.user_runtime()}/pipewire-0"
    assert create.environment("work", granted)["WAYLAND_DISPLAY"] == "wayland-0"
    assert "WAYLAND_DISPLAY" not in create.environment("work", Settings())


def test_a_path_with_a_comma_stays_one_path():
    argument = Mount(source="/home/a,ro=false", target="/x").argument()
    assert next(csv.reader([argument])) == [
        "type=bind",
        "src=/home/a,ro=false",
        "dst=/x",
        "ro=true",
        "nosuid",
        "nodev",
    ]


def test_the_network_is_the_settings_else_podmans_default():
    assert "--network=none" in create.options("work", Settings(network="none"), PODMAN_5)
    [network] = [word for word in create.options("work", Settings(), PODMAN_5) if word.startswith("--network=")]
    assert network.split("=")[1].split(":")[0] == "pasta"
    assert "--network=slirp4netns:allow_host_loopback=false" in create.options("work", Settings(), (4, 3, 1))


def test_an_unchanged_container_has_no_differences():
    wanted = create.options("work", Settings(), PODMAN_5)
    made_with = ["podman", "create", "--replace", "--name=lbx-work.new", *wanted, "localhost/lbx-work:latest"]
    assert create.changed(made_with, wanted) == []


def test_a_changed_setting_is_told_in_words():
    made_with = create.options("work", Settings(network="host"), PODMAN_5)
    wanted = create.options("work", Settings(network="host", pipewire=True), PODMAN_5)
    [mount] = [word for word in wanted if word.startswith("--mount=") and "pipewire" in word]
    assert create.changed(made_with, wanted) == [
        "--env=PIPEWIRE_RUNTIME_DIR=/tmp is new",
        f"{mount} is new",
    ]
    assert create.changed(wanted, made_with) == [
        "--env=PIPEWIRE_RUNTIME_DIR=/tmp is gone",
        f"{mount} is gone",
    ]


def test_many_differences_are_counted():
    told = create.changed(["podman", "create", "image"], create.options("work", Settings(), PODMAN_5))
    assert len(told) == 5
    assert told[-1].startswith("and ")


@pytest.mark.parametrize("grant", GRANTS, ids=str)
def test_each_grant_counts_when_it_is_given_and_when_it_is_taken_back(made, grant):
    without, granted = Settings(), attrs.evolve(Settings(), **grant)
    for before, after in ((without, granted), (granted, without)):
        made(before)
        assert create.is_current("work", before)
        assert create.differences("work", before) == []
        assert not create.is_current("work", after)
        assert create.differences("work", after)


def test_the_grants_tried_are_all_that_there_are():
    on_build = {key for grant in GRANTS for key in grant}
    for key in attrs.fields_dict(Settings).keys() - on_build:
        for value in (True, False, "confirm", 5, ("https",)):
            other = attrs.evolve(Settings(), **{key: value})
            assert create.options("work", other, PODMAN_5) == create.options("work", Settings(), PODMAN_5), key


def test_a_changed_profile_of_the_hosts_makes_a_container_out_of_date(made, host_profile):
    made(Settings())
    upgraded = json.loads(host_profile.read_text())
    upgraded["syscalls"].pop(0)
    host_profile.write_text(json.dumps(upgraded))
    assert not create.is_current("work", Settings())


def test_another_compositor_socket_makes_a_container_out_of_date(made, monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-1")
    made(Settings(wayland=True))
    monkeypatch.delenv("WAYLAND_DISPLAY")
    assert not create.is_current("work", Settings(wayland=True))


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


def test_homes_that_others_could_enter_are_closed_to_them():
    os.makedirs(paths.homes(), mode=0o755)
    os.chmod(paths.homes(), 0o755)
    create.prepare_host_side("work")
    assert os.stat(paths.homes()).st_mode & 0o777 == 0o700


def test_every_bind_mount_is_without_setuid_programs_and_devices():
    options = create.options("work", Settings(wayland=True, pipewire=True), PODMAN_5)
    binds = [word for word in options if word.startswith("--mount=type=bind")]
    assert len(binds) == 9
    assert all(word.endswith(",nosuid,nodev") for word in binds)


def test_only_a_nested_box_sees_proc_as_it_is():
    for settings in (Settings(), Settings(nested=True)):
        options = create.options("work", settings, PODMAN_5)
        masks = [word for word in options if word.startswith("--security-opt=mask=")]
        assert bool(masks) is not settings.nested
        assert hardening.is_nested(options) is settings.nested


def test_the_limit_of_processes_is_no_more_than_the_user_has(monkeypatch):
    for hard, limit in ((100, 100), (1_000_000, 4096), (resource.RLIM_INFINITY, 4096)):
        monkeypatch.setattr(resource, "getrlimit", lambda _which, hard=hard: (hard, hard))
        assert f"--ulimit=nproc={limit}:{limit}" in create.options("work", Settings(), PODMAN_5)


def test_the_hosts_network_is_the_hosts_to_configure():
    def sysctls(network):
        options = create.options("work", Settings(network=network), PODMAN_5)
        return [word for word in options if word.startswith("--sysctl=")]

    assert sysctls("host") == []
    assert sysctls("none") == [f"--sysctl=net.ipv4.ping_group_range={os.getgid()} {os.getgid()}"]


@pytest.fixture
def starting(monkeypatch):
    """The steps of a start, as they come; `starting.failing` names those that fail."""
    steps = Steps()

    def run(*words):
        if words[:2] == ("container", "inspect"):
            state = {"Status": steps.status, "Pid": 7, "ConmonPid": 6}
            return state["Status"] if "Status" in words[3] else json.dumps([state, []])
        steps.take(words[0], PodmanError("podman failed."))
        return ""

    monkeypatch.setattr(podman, "run", run)
    monkeypatch.setattr(namespace, "limits", lambda *, nested: {"max_user_namespaces": int(nested)})
    monkeypatch.setattr(namespace, "limit", lambda *_: steps.take("limit", HostError("no limit.")))
    monkeypatch.setattr(lookup, "uncover", lambda _main: steps.take("uncover", HostError("no tables.")))
    return steps


class Steps(list):
    failing = ()
    status = "created"

    def take(self, step, error):
        self.append(step)
        if step in self.failing:
            raise error


def test_the_limits_are_there_before_the_box_runs(starting):
    create.start("work")
    assert starting == ["init", "limit", "uncover", "start"]


def test_a_box_whose_limits_cannot_be_written_is_not_started(starting):
    starting.failing = ("limit", "stop")
    with pytest.raises(HostError, match="no limit"):
        create.start("work")
    assert starting == ["init", "limit", "stop"]


def test_a_start_that_was_cut_short_is_gone_on_with(starting):
    starting.failing = ("init",)
    starting.status = "initialized"
    create.start("work")
    assert starting == ["init", "limit", "uncover", "start"]


def test_a_box_that_an_entry_started_just_before_it_was_cut_short_is_left_running(starting):
    starting.failing = ("init",)
    starting.status = "running"
    create.start("work")
    assert starting == ["init"]


@pytest.mark.parametrize("gone", ["/etc/passwd", "/etc/group", "nothing"])
def test_a_container_of_an_earlier_litterbox_is_not_started(monkeypatch, gone):
    made_with = [word for word in create.options("work", Settings(), PODMAN_5) if f",dst={gone}," not in word]
    monkeypatch.setattr(create, "_made_with", lambda _name: made_with)
    monkeypatch.setattr(create, "_inspect", lambda *_: "[]")
    if gone == "nothing":
        create.check_sources("work")
    else:
        with pytest.raises(LitterboxError, match="earlier Litterbox"):
            create.check_sources("work")


def test_a_container_that_cannot_be_made_ready_is_not_started(starting):
    starting.failing = ("init",)
    with pytest.raises(PodmanError):
        create.start("work")
    assert starting == ["init"]
