"""Bad input, each with its sentence and its exit status, and nothing changed on disk."""

import os
import shutil
import subprocess

import pytest
from support.user import BASE_IMAGE, podman

BAD_NAMES = ["../x", "", "a" * 33, "Work", "bär", "-", "a/b", "a b"]


def tree(folder):
    """Every file under `folder` with its content: what must not change."""
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = os.path.join(parent, name)
            found[path] = None
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[path] = file.read()
    return found


def refused(done, *words, status):
    """Check that a command ended with `status` and one message, in words, without a traceback."""
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    return done


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("command", ["define", "build", "enter", "delete", "stop", "logs", "status"])
def test_bad_box_names(user, command, name):
    words = [command, *(["--template", "debian"] if command == "define" else []), "--", name]
    status = 125 if command == "enter" else 2
    refused(user.litterbox(*words, status=None), "is not a box name", "1 to 32 characters", status=status)
    assert tree(user.root) == {}


def test_unknown_template(user):
    done = user.litterbox("define", "work", "--template", "templeos", status=None)
    refused(done, "no template 'templeos'", "opensuse-tumbleweed", status=2)
    assert tree(user.root) == {}


def test_no_template_without_a_terminal(user):
    refused(user.litterbox("define", "work", status=None), "--template takes: debian", status=2)
    assert tree(user.root) == {}


@pytest.mark.parametrize("command", ["enter", "build", "delete", "stop", "logs", "status", "daemon"])
def test_a_box_that_is_not_there(user, command):
    done = user.litterbox(command, "work", status=None)
    refused(done, "work", status=125 if command == "enter" else 1)
    assert tree(user.root) == {}


def test_a_box_that_is_not_built(user):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    before = tree(user.root)
    refused(user.litterbox("enter", "work", status=None), "defined but not built", "litterbox build work", status=125)
    assert tree(user.root) == before


@pytest.mark.parametrize("command", [["define", "work", "--template", "debian"], ["build", "work"], ["list"]])
def test_missing_podman(user, command, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    os.symlink(shutil.which("litterbox"), programs / "litterbox")
    if command[0] == "build":
        user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    before = tree(user.root)
    done = user.litterbox(*command, status=None, PATH=str(programs))
    refused(done, "Podman is not installed", "Install it", status=1)
    assert tree(user.root) == before


def test_podman_without_subordinate_ids(tmp_path):
    home = "/home/nosub"
    script = (
        "mkdir -p -m 0700 $XDG_RUNTIME_DIR && litterbox define work --template debian && litterbox build work; echo $?"
    )
    done = subprocess.run(
        [
            *("sudo", "-u", "nosub", "env", f"HOME={home}", f"PATH={os.environ['PATH']}"),
            *("XDG_RUNTIME_DIR=/tmp/run-nosub", "sh", "-c", script),
        ],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.endswith("1\n"), done.stdout + done.stderr
    assert "no subordinate ids for nosub" in done.stderr
    assert "usermod --add-subuids" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dockerfile_that_fails(user):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    with open(f"{user.root}/definitions/work/Dockerfile", "w") as file:
        file.write(f"FROM {BASE_IMAGE}\nRUN echo before the fall; exit 7\n")
    before = tree(f"{user.root}/definitions")
    done = refused(user.litterbox("build", "work", status=None), "`podman build", "failed with status", status=1)
    assert "before the fall" in done.stderr
    assert "exit status 7" in done.stderr.splitlines()[-1]
    assert tree(f"{user.root}/definitions") == before
    assert podman("ps", "--all", "--quiet").stdout == ""
    refused(user.litterbox("enter", "work", status=None), "litterbox build work", status=125)


def test_a_failing_rebuild_keeps_the_box(user):
    user.define_and_build("work")
    with open(f"{user.root}/definitions/work/Dockerfile", "a") as file:
        file.write("RUN exit 1\n")
    user.litterbox("build", "work", status=1)
    assert user.litterbox("enter", "work", "--", "echo", "still here").stdout == "still here\n"


def test_a_mistake_in_the_settings(user):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    with open(f"{user.root}/definitions/work.toml", "w") as file:
        file.write('network = "bridge"\n')
    done = user.litterbox("build", "work", status=None)
    refused(done, f"{user.root}/definitions/work.toml", "network", '"pasta"', '"none"', status=1)


@pytest.mark.parametrize("damage", ["(version: 3, nonsense", "", "hello", "(version: 99)"])
@pytest.mark.parametrize("command", [["list"], ["generate", "second"], ["attach", "first", "work"]])
def test_a_damaged_or_truncated_key_store(user, command, damage):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    user.litterbox("keys", "generate", "first")
    with open(f"{user.root}/keys.ron", "w") as file:
        file.write(damage)
    before = tree(user.root)
    done = user.litterbox("keys", *command, status=None)
    refused(done, f"{user.root}/keys.ron", status=1)
    assert tree(user.root) == before


def test_a_damaged_key_store_keeps_enter_out(user):
    user.define_and_build("work")
    user.litterbox("keys", "generate", "first")
    with open(f"{user.root}/keys.ron", "r+") as file:
        file.truncate(200)
    refused(user.litterbox("enter", "work", "true", status=None), f"{user.root}/keys.ron", status=125)
    user.wait_until_over("work")


def test_a_read_only_home(user):
    user.litterbox("define", "play", "--template", "local", "--image", BASE_IMAGE)
    before = tree(user.root)
    subprocess.run(["chmod", "-R", "a-w", user.root], check=True)
    try:
        for words in (
            ["define", "work", "--template", "debian"],
            ["build", "play"],
            ["keys", "generate", "first"],
        ):
            refused(user.litterbox(*words, status=None), user.root, "denied", status=1)
    finally:
        subprocess.run(["chmod", "-R", "u+w", user.root], check=True)
    assert tree(user.root) == before


def test_a_full_disk(user):
    small = "/mnt/small/Litterbox"
    user.litterbox("define", "play", "--template", "local", "--image", BASE_IMAGE, LITTERBOX_ROOT=small)
    user.litterbox("keys", "generate", "first", LITTERBOX_ROOT=small)
    before_content = {path: content for path, content in tree(small).items() if content}
    filler = "/mnt/small/filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 1024):
                pass
        except OSError:
            pass
    try:
        for words in (
            ["define", "work", "--template", "debian"],
            ["keys", "generate", "second"],
            ["build", "play"],
        ):
            refused(user.litterbox(*words, status=None, LITTERBOX_ROOT=small), "No space left", status=1)
        # An empty folder or lock file may have been made; nothing that had content has changed.
        assert {path: content for path, content in tree(small).items() if content} == before_content
    finally:
        os.unlink(filler)
        shutil.rmtree(small)


def test_no_runtime_folder(user):
    user.define_and_build("work")
    environment = {key: value for key, value in user.environment.items() if key != "XDG_RUNTIME_DIR"}
    done = subprocess.run(
        ["litterbox", "enter", "work", "true"], env=environment, capture_output=True, text=True, check=False
    )
    refused(done, "XDG_RUNTIME_DIR is not set", status=125)
    refused(user.litterbox("enter", "work", "true", status=None, XDG_RUNTIME_DIR="/nowhere"), "/nowhere", status=125)
    long = "/tmp/" + "x" * 100
    os.makedirs(long, mode=0o700)
    refused(user.litterbox("enter", "work", "true", status=None, XDG_RUNTIME_DIR=long), "107 bytes", status=125)
    assert user.sessions_in_lock("work") == []


def test_a_file_in_place_of_the_socket_folder(user, tmp_path):
    user.define_and_build("work")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    (runtime / "litterbox").write_text("")
    done = user.litterbox("enter", "work", "true", status=None, XDG_RUNTIME_DIR=str(runtime))
    refused(done, f"{runtime}/litterbox", status=125)
    assert user.sessions_in_lock("work") == []


def test_a_running_box_is_neither_rebuilt_nor_deleted(user):
    user.define_and_build("work")
    with user.session("work"):
        for words in (["build", "work"], ["delete", "work", "--yes"]):
            refused(user.litterbox(*words, status=None), "is running", "litterbox stop work", status=1)
    user.wait_until_over("work")


def test_deleting_without_a_yes_deletes_nothing(user):
    user.define_and_build("work")
    refused(user.litterbox("delete", "work", status=None), "--yes", status=2)
    assert user.litterbox("enter", "work", "--", "echo", "here").stdout == "here\n"
