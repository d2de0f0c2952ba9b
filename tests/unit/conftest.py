"""Every unit test has a Litterbox of its own, a runtime folder of its own, and a host with a seccomp profile."""

import json

import pytest

# As Podman's own is made, of which this is a small part.
HOST_PROFILE = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "defaultErrnoRet": 38,
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
    "syscalls": [
        {"names": ["kexec_load", "nice"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "args": []},
        {
            "names": ["add_key", "clone", "clone3", "keyctl", "read", "request_key", "socketcall", "socketpair"],
            "action": "SCMP_ACT_ALLOW",
            "args": [],
        },
        {"names": ["io_uring_setup", "unshare", "write"], "action": "SCMP_ACT_ALLOW", "args": []},
        {"names": ["sethostname", "setns"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {
            "names": ["sethostname", "setns"],
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": 1,
            "excludes": {"caps": ["CAP_SYS_ADMIN"]},
        },
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": None},
    ],
}


@pytest.fixture(autouse=True)
def own_root(tmp_path_factory, monkeypatch):
    root = tmp_path_factory.mktemp("root")
    monkeypatch.setenv("LITTERBOX_ROOT", str(root / "Litterbox"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(root))
    return root / "Litterbox"


@pytest.fixture(autouse=True)
def host_profile(tmp_path_factory, monkeypatch):
    """The path of the host's seccomp profile, which its containers.conf names."""
    folder = tmp_path_factory.mktemp("containers")
    profile = folder / "seccomp.json"
    profile.write_text(json.dumps(HOST_PROFILE))
    configuration = folder / "containers.conf"
    configuration.write_text(f'[containers]\nseccomp_profile = "{profile}"\n')
    monkeypatch.setenv("CONTAINERS_CONF", str(configuration))
    return profile
