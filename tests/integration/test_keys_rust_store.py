"""A keys.ron of the Rust Litterbox, its keys encrypted by OpenSSL, under every command of `litterbox keys`."""

import base64
import json
import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from support.keys_home import PASSWORD, Run, answer, environment_of, new_home, rest_of, runner, terminals

from litterbox.keys import formats


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return new_home(tmp_path)


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return environment_of(home)


@pytest.fixture
def keys(environment: dict[str, str]) -> Run:
    return runner(environment)


def _written(folder: Path, password: str) -> tuple[bytes, dict[str, str]]:
    """A store of version 2 with keys that OpenSSL encrypted, and the public key of each name."""
    encryptions = {
        "ed25519": ["-scrypt"],
        "ecdsa": ["-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA256"],
        "rsa": ["-v2", "aes-128-cbc", "-iter", "10"],
    }
    entries, public_keys = [], {}
    for name, encryption in encryptions.items():
        path = str(folder / name)
        subprocess.run(["ssh-keygen", "-q", "-t", name, "-N", "", "-f", path], check=True)
        public_keys[name] = " ".join(Path(f"{path}.pub").read_text().split()[:2])
        plain = formats.private_bytes(formats.read_private_key(Path(path).read_bytes()))
        encrypt = ["openssl", "pkcs8", "-topk8", "-inform", "DER", "-outform", "DER", "-passout", f"pass:{password}"]
        encrypted = subprocess.run([*encrypt, *encryption], input=plain, capture_output=True, check=True).stdout
        entries.append(f'(name:"{name}",encrypted_key:{list(encrypted)},attached_litterboxes:["box"])')
    salt = os.urandom(16)
    digest = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19456).derive(password.encode())
    ends = "$".join(base64.b64encode(part).decode().rstrip("=") for part in (salt, digest))
    password_hash = f"$argon2id$v=19$m=19456,t=2,p=1${ends}"
    return f'(version:2,password_hash:"{password_hash}",keys:[{",".join(entries)}])'.encode(), public_keys


@pytest.fixture(scope="module")
def rust_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, str]]:
    return _written(tmp_path_factory.mktemp("rust"), PASSWORD)


def test_listing_a_store_of_rusts_converts_it(keys: Run, home: Path, rust_store) -> None:
    content, public_keys = rust_store
    (home / "keys.ron").write_bytes(content)

    listed = keys("list", "--json")

    assert listed.returncode == 0
    shown = json.loads(listed.stdout)
    assert {key["name"]: key["public_key"] for key in shown} == {
        name: f"{line} {name}" for name, line in public_keys.items()
    }
    assert all(key["attachments"] == [{"box": "box", "hosts": [], "ask": "always"}] for key in shown)
    assert f"The key store {home}/keys.ron is the Rust Litterbox's: it is being converted" in listed.stderr
    assert (home / "keys.ron.v2-backup").read_bytes() == content
    for name in ("keys.ron", "keys.ron.v2-backup"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600

    again = keys("list", "--json", password=None)
    assert again.stdout == listed.stdout
    [said] = again.stderr.splitlines()
    assert said.startswith("litterbox: Nothing was verified: ")
    for name, line in public_keys.items():
        exported = home / name
        keys("export", name, str(exported))
        derived = subprocess.run(["ssh-keygen", "-y", "-f", str(exported)], capture_output=True, text=True, check=True)
        assert derived.stdout.startswith(line)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["print", "rsa"], ""),
        (["attach", "rsa", "box"], "rsa is attached to box already"),
        (["detach", "rsa", "box"], "rsa is no longer attached to box."),
        (["delete", "rsa", "--yes"], "Deleted rsa"),
        (["generate", "new"], "Stored new."),
        (["export", "rsa"], ""),
        (["change-password"], "The password is changed."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_every_command_converts_first_and_asks_once(
    keys: Run, home: Path, tmp_path: Path, rust_store, arguments: list[str], told: str
) -> None:
    (home / "keys.ron").write_bytes(rust_store[0])
    count = f"sh -c 'echo asked >> {tmp_path}/count; echo {PASSWORD}'"

    done = keys(*arguments, LITTERBOX_PASSWORD_COMMAND=count, LITTERBOX_NEW_PASSWORD_COMMAND="echo better")

    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    assert (tmp_path / "count").read_text() == "asked\n"
    assert (home / "keys.ron.v2-backup").read_bytes() == rust_store[0]


@pytest.mark.parametrize("password", ["wrong", None])
def test_without_the_password_a_store_of_rusts_stays_as_it_is(
    keys: Run, home: Path, rust_store, password: str | None
) -> None:
    (home / "keys.ron").write_bytes(rust_store[0])

    refused = keys("list", password=password)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "Traceback" not in refused.stderr
    assert (home / "keys.ron").read_bytes() == rust_store[0]
    assert sorted(os.listdir(home)) == ([".keys.lock"] if password else []) + ["definitions", "keys.ron"]


def test_a_store_of_rusts_asks_at_the_terminal(environment: dict[str, str], home: Path, rust_store) -> None:
    (home / "keys.ron").write_bytes(rust_store[0])
    with terminals(environment) as start:
        child = start("export", "ed25519")
        child.expect_exact("is the Rust Litterbox's")
        answer(child, "Key store password: ", "wrong")
        answer(child, "That is not it. Key store password: ", PASSWORD)
        shown = rest_of(child)

    assert child.exitstatus == 0
    assert "BEGIN OPENSSH PRIVATE KEY" in shown
    assert "Key store password" not in shown


def test_commands_at_once_convert_a_store_once(keys: Run, home: Path, rust_store) -> None:
    (home / "keys.ron").write_bytes(rust_store[0])
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda name=f"k{number}": results.append(keys("generate", name))) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [result.returncode for result in results] == [0] * 4, results
    names = {key["name"] for key in json.loads(keys("list", "--json").stdout)}
    assert names == {"ed25519", "ecdsa", "rsa", "k0", "k1", "k2", "k3"}
    assert sorted(name for name in os.listdir(home) if "backup" in name) == ["keys.ron.v2-backup"]
