"""The profile is made from the one that Podman would use, and is where Podman reads it."""

import json
import os

import pytest

from litterbox.container import seccomp
from litterbox.errors import HostError


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Have containers.conf say this; returns the folder that it is in."""
    monkeypatch.delenv("CONTAINERS_CONF")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(seccomp, "_CONFIGURATIONS", (str(tmp_path / "system.conf"),))
    monkeypatch.setattr(seccomp, "_HOST_PROFILES", (str(tmp_path / "etc.json"), str(tmp_path / "usr.json")))
    (tmp_path / "containers").mkdir()
    return tmp_path


def test_the_file_is_placed_with_what_its_name_stands_for():
    seccomp.place()
    for nested in (False, True):
        path, content = seccomp.profile(nested=nested)
        with open(path, "rb") as file:
            assert file.read() == content
        assert json.loads(content)["defaultAction"] == "SCMP_ACT_ERRNO"


def test_an_upgrade_of_the_hosts_profile_gives_another_name_and_the_old_file_goes(host_profile):
    seccomp.place()
    before, _ = seccomp.profile(nested=False)
    upgraded = json.loads(host_profile.read_text())
    upgraded["syscalls"][0]["names"].append("swapon")
    host_profile.write_text(json.dumps(upgraded))
    after, _ = seccomp.profile(nested=False)
    seccomp.place()
    assert after != before
    assert sorted(os.listdir(os.path.dirname(after))) == sorted(
        os.path.basename(seccomp.profile(nested=nested)[0]) for nested in (False, True)
    )


def test_the_administrators_profile_wins_over_the_packages(configured):
    (configured / "usr.json").write_text("{}")
    assert seccomp.host_profile() == str(configured / "usr.json")
    (configured / "etc.json").write_text("{}")
    assert seccomp.host_profile() == str(configured / "etc.json")


def test_the_last_containers_conf_that_names_one_wins(configured, monkeypatch):
    for name in ("usr", "system", "own", "override"):
        (configured / f"{name}.json").write_text("{}")
    (configured / "system.conf").write_text(f'[containers]\nseccomp_profile = "{configured}/system.json"\n')
    assert seccomp.host_profile() == str(configured / "system.json")
    own = configured / "containers" / "containers.conf"
    own.write_text("[engine]\n")
    assert seccomp.host_profile() == str(configured / "system.json")
    own.write_text(f'[containers]\nseccomp_profile = "{configured}/own.json"\n')
    assert seccomp.host_profile() == str(configured / "own.json")
    (configured / "override.conf").write_text(f'[containers]\nseccomp_profile = "{configured}/override.json"\n')
    monkeypatch.setenv("CONTAINERS_CONF_OVERRIDE", str(configured / "override.conf"))
    assert seccomp.host_profile() == str(configured / "override.json")


def test_a_host_without_any_says_where_it_would_be_and_what_to_install(configured):
    with pytest.raises(HostError) as caught:
        seccomp.profile(nested=False)
    assert "usr.json" in caught.value.sentence
    assert "containers-common" in caught.value.hint


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"syscalls": [{}]}', b'{"syscalls": [{"names": ["read"]}]}', b"\xff", b"[" * 100_000],
)
def test_a_damaged_profile_is_named(host_profile, content):
    host_profile.write_bytes(content)
    with pytest.raises(HostError, match=r"seccomp\.json is not a seccomp profile"):
        seccomp.profile(nested=False)


def test_a_damaged_containers_conf_is_named(configured):
    (configured / "system.conf").write_text("seccomp_profile = unquoted")
    with pytest.raises(HostError, match=r"system\.conf cannot be read"):
        seccomp.host_profile()
