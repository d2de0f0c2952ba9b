"""`litterbox keys` as a person uses it: real processes, a real terminal, a real daemon-less home."""

import contextlib
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pexpect
import pytest
from support.keys_home import PASSWORD, Run, answer, environment_of, new_home, rest_of, runner, terminals


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return new_home(tmp_path)


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return environment_of(home)


@pytest.fixture
def keys(environment: dict[str, str]) -> Run:
    return runner(environment)


@pytest.fixture(scope="module")
def one_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A home with the key "work" in it, shared by tests that must not change it."""
    home = new_home(tmp_path_factory.mktemp("one-key"))
    run = runner(environment_of(home))
    run("generate", "work")
    return home, run


def test_the_life_of_a_key(keys: Run, home: Path) -> None:
    made = keys("generate", "work", "--comment", "me@home")
    assert made.returncode == 0
    assert made.stdout.startswith("ssh-ed25519 ")
    assert made.stdout.endswith(" me@home\n")
    assert stat.S_IMODE((home / "keys.ron").stat().st_mode) == 0o600

    assert keys("print", "work", password=None).stdout == made.stdout

    attached = keys("attach", "work", "box")
    assert (attached.returncode, attached.stderr) == (0, "work is attached to box, and asks each time.\n")
    again = keys("attach", "work", "box")
    assert (again.returncode, again.stderr) == (0, "work is attached to box already, and asks each time.\n")

    (listed,) = json.loads(keys("list", "--json", password=None).stdout)
    assert listed == {
        "name": "work",
        "type": "ed25519",
        "bits": 256,
        "fingerprint": listed["fingerprint"],
        "comment": "me@home",
        "public_key": made.stdout.strip(),
        "attachments": [{"box": "box", "hosts": [], "ask": "always"}],
    }
    assert listed["fingerprint"] in keys("list", password=None).stdout

    detached = keys("detach", "work", "box")
    assert (detached.returncode, detached.stderr) == (0, "work is no longer attached to box.\n")
    assert keys("detach", "work", "box").stderr == "work is not attached to box.\n"

    assert keys("delete", "work", "--yes", password=None).returncode == 0
    assert json.loads(keys("list", "--json", password=None).stdout) == []


def test_a_key_goes_out_and_comes_in_again(keys: Run, tmp_path: Path) -> None:
    public = keys("generate", "work", "--type", "ecdsa", "--bits", "384").stdout
    exported = tmp_path / "id"

    assert keys("export", "work", str(exported)).returncode == 0
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(exported)], capture_output=True, text=True, check=True
    ).stdout
    assert derived.split()[:2] == public.split()[:2]
    assert keys("export", "work").stdout.splitlines()[0] == "-----BEGIN OPENSSH PRIVATE KEY-----"

    assert keys("import", "again", str(exported)).stderr == (
        "litterbox: This key is stored already: it is called 'work'.\n"
    )
    keys("delete", "work", "--yes")
    imported = keys("import", "again", "-", text=exported.read_text())
    assert imported.returncode == 0
    assert imported.stdout == public


def test_an_encrypted_export_opens_with_its_passphrase_only(keys: Run, tmp_path: Path) -> None:
    keys("generate", "work")
    exported = tmp_path / "id"
    keys("export", "work", str(exported), "--encrypt", LITTERBOX_PASSPHRASE_COMMAND="echo file-pass")
    keys("delete", "work", "--yes")

    no_passphrase = keys("import", "work", str(exported))
    assert no_passphrase.returncode == 1
    assert "LITTERBOX_PASSPHRASE_COMMAND" in no_passphrase.stderr
    wrong = keys("import", "work", str(exported), LITTERBOX_PASSPHRASE_COMMAND="echo wrong")
    assert wrong.stderr.startswith("litterbox: The passphrase does not open the file.\n")
    assert keys("import", "work", str(exported), LITTERBOX_PASSPHRASE_COMMAND="echo file-pass").returncode == 0


def test_an_export_never_replaces_a_file_unasked(keys: Run, tmp_path: Path) -> None:
    keys("generate", "work")
    precious = tmp_path / "precious"
    precious.write_text("precious")

    refused = keys("export", "work", str(precious))
    assert refused.returncode == 1
    assert "exists already" in refused.stderr
    assert precious.read_text() == "precious"

    assert keys("export", "work", str(precious), "--force").returncode == 0
    assert precious.read_text().startswith("-----BEGIN OPENSSH")
    assert stat.S_IMODE(precious.stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["Litterbox", "precious", "run"]


def test_changing_the_password(keys: Run) -> None:
    keys("generate", "work")

    changed = keys("change-password", LITTERBOX_NEW_PASSWORD_COMMAND="echo better")
    assert (changed.returncode, changed.stderr) == (0, "The password is changed.\n")

    assert keys("export", "work").returncode == 1
    assert keys("export", "work", password="better").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["generate", "../x"], 2, "'../x' is not a key name."),
        (["generate", ""], 2, "'' is not a key name."),
        (["generate", "x" * 65], 2, "is not a key name."),
        (["generate", "clé"], 2, "is not a key name."),
        (["generate", "k", "--type", "dsa"], 2, "'dsa' is not one of"),
        (["generate", "k", "--type", "rsa", "--bits", "1024"], 2, "RSA keys have 2048 to 16384 bits"),
        (["generate", "work"], 1, "There is a key called 'work' already."),
        (["import", "k", "/nonexistent"], 1, "/nonexistent cannot be read: No such file or directory."),
        (["import", "k", "/etc/passwd"], 1, "The file is not a private key."),
        (["import", "k", "/"], 1, "/ cannot be read: Is a directory."),
        (["print", "nobody"], 1, "There is no key called 'nobody'."),
        (["attach", "work", "nobox"], 1, "There is no box nobox."),
        (["attach", "work", "../x"], 2, "'../x' is not a box name."),
        (["attach", "work", "box", "--ask", "never"], 2, "A key that never asks must say for which hosts"),
        (["attach", "work", "box", "--ask", "seldom"], 2, "'seldom' is not one of"),
        (["attach", "work", "box", "--host", "git@github.com"], 2, "'git@github.com' is not a host pattern."),
        (["attach", "work", "box", "--host", "a.example", "--host", "b,c"], 2, "'b,c' is not a host pattern."),
        (["attach", "work", "box", "--host", "!github.com"], 2, "Patterns that only leave hosts out let no host in."),
        (["detach", "work", "nobox"], 1, "There is no box nobox."),
        (["attach", "nobody", "box"], 1, "There is no key called 'nobody'."),
        (["detach", "nobody", "box"], 1, "There is no key called 'nobody'."),
        (["delete", "work"], 2, "Deleting needs a yes"),
        (["export", "work", "/nonexistent/folder/file"], 1, "cannot be written: No such file or directory."),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_what_cannot_be_has_its_sentence_and_changes_nothing(
    one_key: tuple[Path, Run], arguments: list[str], status: int, sentence: str
) -> None:
    home, keys = one_key
    before = (home / "keys.ron").read_bytes()

    refused = keys(*arguments)

    assert refused.returncode == status
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (home / "keys.ron").read_bytes() == before


def test_an_attachment_has_limits_that_every_command_tells(keys: Run) -> None:
    keys("generate", "work")

    limited = keys("attach", "work", "box", "--host", "GitHub.com", "--host", "*.example.org", "--ask", "never")
    assert (limited.returncode, limited.stderr) == (
        0,
        "work is attached to box, for github.com, *.example.org only, and never asks.\n",
    )
    assert keys("list").stdout.endswith("  box (github.com, *.example.org; never)\n")
    [listed] = json.loads(keys("list", "--json").stdout)
    assert listed["attachments"] == [{"box": "box", "hosts": ["github.com", "*.example.org"], "ask": "never"}]

    again = keys("attach", "work", "box")
    assert again.stderr == "work is attached to box already, for github.com, *.example.org only, and never asks.\n"
    asked = keys("attach", "work", "box", "--ask", "once")
    assert asked.stderr.startswith("work is attached to box, for github.com, *.example.org only, and asks once")
    moved = keys("attach", "work", "box", "--host", "gitlab.com", "--ask", "always")
    assert moved.stderr == "work is attached to box, for gitlab.com only, and asks each time.\n"
    assert keys("list").stdout.endswith("  box (gitlab.com)\n")

    keys("detach", "work", "box")
    assert keys("attach", "work", "box").stderr == "work is attached to box, and asks each time.\n"


def test_what_cannot_be_attached_is_told_before_a_password_is_asked_for(one_key: tuple[Path, Run]) -> None:
    _, keys = one_key

    for options in (["--ask", "never"], ["--host", "a b"], ["--host", "!a"]):
        refused = keys("attach", "work", "box", *options, LITTERBOX_PASSWORD_COMMAND="sh -c 'echo ASKED >&2'")
        assert refused.returncode == 2
        assert "ASKED" not in refused.stderr


def test_a_key_is_detached_from_a_box_that_is_gone(keys: Run, home: Path) -> None:
    keys("generate", "work")
    keys("attach", "work", "box")
    (home / "definitions" / "box" / "Dockerfile").unlink()

    assert keys("detach", "work", "box").returncode == 0
    again = keys("detach", "work", "box")
    assert (again.returncode, again.stderr.splitlines()[0]) == (1, "litterbox: There is no box box.")


def test_a_wrong_password_from_a_command_is_refused(one_key: tuple[Path, Run]) -> None:
    home, keys = one_key
    before = (home / "keys.ron").read_bytes()

    refused = keys("attach", "work", "box", password="wrong-one")

    assert refused.returncode == 1
    assert refused.stderr.startswith("litterbox: The password does not open the key store.\n")
    assert "wrong-one" not in refused.stderr + refused.stdout
    assert (home / "keys.ron").read_bytes() == before


def test_without_a_terminal_the_error_names_the_variable(keys: Run, home: Path) -> None:
    refused = keys("generate", "work", password=None)

    assert refused.returncode == 1
    assert "There is no terminal to ask for the key store password on." in refused.stderr
    assert "LITTERBOX_PASSWORD_COMMAND" in refused.stderr
    assert not (home / "keys.ron").exists()


def test_a_key_edited_by_hand_is_refused_by_name(keys: Run, home: Path) -> None:
    keys("generate", "work")
    keys("attach", "work", "box")
    store = home / "keys.ron"
    store.write_text(store.read_text().replace('box: "box"', 'box: "evil"'))

    refused = keys("export", "work")

    assert refused.returncode == 1
    assert "The stored key 'work' is not as Litterbox sealed it" in refused.stderr
    assert refused.stdout == ""


def test_a_public_key_edited_by_hand_is_not_printed_and_is_named_in_the_list(keys: Run, home: Path) -> None:
    for name in ("work", "home", "spare"):
        keys("generate", name)
    store = home / "keys.ron"
    own, others = (keys("print", name).stdout.split()[1] for name in ("work", "home"))
    content = store.read_text().replace(own, "swapped").replace(others, own).replace("swapped", others)
    store.write_text(content)

    printed, listed = keys("print", "work"), keys("list", "--json")

    assert (printed.returncode, printed.stdout) == (1, "")
    assert "The stored key 'work' is not as Litterbox sealed it" in printed.stderr
    assert listed.returncode == 1
    assert [key["name"] for key in json.loads(listed.stdout)] == ["work", "home", "spare"]
    assert [name for name in ("work", "home", "spare") if f"The stored key '{name}'" in listed.stderr] == [
        "work",
        "home",
    ]


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["print", "work"]])
def test_what_is_shown_says_whether_it_was_verified(one_key: tuple[Path, Run], command: list[str]) -> None:
    _home, keys = one_key
    verified, unverified, wrong = (keys(*command, password=password) for password in (PASSWORD, None, "wrong-one"))
    assert (verified.returncode, verified.stderr) == (0, "")
    assert (unverified.returncode, unverified.stdout) == (0, verified.stdout)
    assert unverified.stderr.startswith("litterbox: Nothing was verified: LITTERBOX_PASSWORD_COMMAND is not set")
    assert (wrong.returncode, wrong.stdout) == (0, verified.stdout)
    assert "Nothing was verified" in wrong.stderr
    assert "The password does not open the key store." in wrong.stderr


@pytest.mark.parametrize("content", [b"", b"(\n", b"\xff\xfe", b"(version:2,keys:[])", b"(version: 9)"])
def test_a_damaged_store_stops_every_command_and_stays_as_it_is(keys: Run, home: Path, content: bytes) -> None:
    (home / "keys.ron").write_bytes(content)

    for arguments in (["list"], ["generate", "k"], ["delete", "k", "--yes"], ["change-password"]):
        refused = keys(*arguments)
        assert refused.returncode == 1
        assert str(home / "keys.ron") in refused.stderr
        assert "Traceback" not in refused.stderr
        assert (home / "keys.ron").read_bytes() == content


def test_commands_at_once_lose_nothing(keys: Run) -> None:
    """Ten at once, from no store at all: whoever comes first makes it, the rest join it."""
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda name=f"k{number}": results.append(keys("generate", name)))
        for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [result.returncode for result in results] == [0] * 10, results
    listed = json.loads(keys("list", "--json").stdout)
    assert {key["name"] for key in listed} == {f"k{number}" for number in range(10)}
    for key in listed:
        assert keys("export", key["name"]).returncode == 0


def test_a_read_only_home_is_told_in_words(keys: Run, home: Path) -> None:
    keys("generate", "work")
    before = (home / "keys.ron").read_bytes()
    home.chmod(0o500)
    try:
        refused = keys("generate", "other")
        listed = keys("list")
    finally:
        home.chmod(0o700)

    assert refused.returncode == 1
    assert "cannot be written: Permission denied." in refused.stderr
    assert listed.returncode == 0
    assert (home / "keys.ron").read_bytes() == before


def test_a_full_disk_is_told_in_words(keys: Run) -> None:
    small = Path("/mnt/small/keys-test")
    small.mkdir()
    filler = small / "filler"
    try:
        root = {"LITTERBOX_ROOT": str(small)}
        assert keys("generate", "work", **root).returncode == 0
        before = (small / "keys.ron").read_bytes()
        _fill_up(filler)

        refused = keys("generate", "other", "--type", "rsa", **root)

        assert refused.returncode == 1
        assert "cannot be written: No space left on device." in refused.stderr
        assert (small / "keys.ron").read_bytes() == before
        assert sorted(os.listdir(small)) == [".keys.lock", "filler", "keys.ron"]
    finally:
        for path in small.iterdir():
            path.unlink()
        small.rmdir()


def _fill_up(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))


# --- at a terminal ------------------------------------------------------------------------------------------


@pytest.fixture
def at_terminal(environment: dict[str, str]):
    with terminals(environment) as start:
        yield start


def test_the_first_password_is_asked_twice_without_echo(at_terminal, keys: Run) -> None:
    child = at_terminal("generate", "work")
    answer(child, "Key store password: ", PASSWORD)
    answer(child, "The same again: ", PASSWORD)
    shown = rest_of(child)

    assert child.exitstatus == 0
    assert PASSWORD not in shown
    assert keys("export", "work").returncode == 0


def test_two_first_passwords_that_differ_make_no_store(at_terminal, home: Path) -> None:
    child = at_terminal("generate", "work")
    why = "There is no key store yet. Choose a password for a new one. "
    for before in (why, "The two are not the same. ", "The two are not the same. "):
        answer(child, f"{before}Key store password: ", "one")
        answer(child, "The same again: ", "two")

    assert "The two are not the same." in rest_of(child)
    assert child.exitstatus == 1
    assert not (home / "keys.ron").exists()


def test_an_empty_first_password_is_refused(at_terminal, home: Path) -> None:
    child = at_terminal("generate", "work")
    answer(child, "Key store password: ", "")

    assert "must not be empty" in rest_of(child)
    assert not (home / "keys.ron").exists()


def test_the_third_try_may_be_right(at_terminal, keys: Run) -> None:
    keys("generate", "work")
    child = at_terminal("attach", "work", "box")
    answer(child, "Key store password: ", "wrong")
    answer(child, "That is not it. Key store password: ", "wrong again")
    answer(child, "That is not it. Key store password: ", PASSWORD)

    assert "work is attached to box, and asks each time." in rest_of(child)
    assert child.exitstatus == 0


def test_three_wrong_passwords_are_enough(at_terminal, keys: Run) -> None:
    keys("generate", "work")
    child = at_terminal("attach", "work", "box")
    for prompt in ("", "That is not it. ", "That is not it. "):
        answer(child, f"{prompt}Key store password: ", "wrong")

    assert "The password does not open the key store." in rest_of(child)
    assert child.exitstatus == 1


def test_no_answer_at_all_is_told_in_words(at_terminal, keys: Run) -> None:
    keys("generate", "work")
    child = at_terminal("export", "work")
    child.expect_exact("Key store password: ")
    child.waitnoecho()
    child.sendeof()

    assert "No key store password was typed." in rest_of(child)


def test_ctrl_c_at_the_password_leaves_the_terminal_as_it_was(at_terminal, keys: Run) -> None:
    keys("generate", "work")
    child = at_terminal("export", "work")
    child.expect_exact("Key store password: ")
    child.waitnoecho()
    child.sendintr()
    rest_of(child)

    assert child.exitstatus == 130


def test_a_file_from_standard_input_and_a_passphrase_from_the_terminal_go_together(
    environment: dict[str, str], keys: Run, tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "file-pass", "-f", str(tmp_path / "id")], check=True)
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", f"{sys.executable} -m litterbox keys import work - < {tmp_path / 'id'}"],
        env=environment,
        encoding="utf-8",
        timeout=30,
    )
    answer(child, "Passphrase of the key file: ", "file-pass")
    answer(child, "Key store password: ", PASSWORD)
    answer(child, "The same again: ", PASSWORD)
    rest_of(child)

    assert child.exitstatus == 0
    assert keys("print", "work").returncode == 0


def test_deleting_asks_first(at_terminal, keys: Run) -> None:
    keys("generate", "work")
    keys("attach", "work", "box")
    child = at_terminal("delete", "work")
    child.expect(r"Delete the key work \(SHA256:.*\), attached to box, for good\?")
    child.sendline("n")
    rest_of(child)

    assert child.exitstatus == 130
    assert keys("print", "work").returncode == 0


def test_the_table_on_a_terminal_names_everything(at_terminal, keys: Run) -> None:
    keys("generate", "work", "--type", "rsa", "--bits", "2048")
    keys("attach", "work", "box")
    child = at_terminal("list")
    shown = rest_of(child)

    for cell in ("NAME", "FINGERPRINT", "work", "RSA 2048", "SHA256:", "box"):
        assert cell in shown
