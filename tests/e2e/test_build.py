"""What a build may see and leave behind: base images with steps of their own, the context, the proxy, interruptions."""

import os
import signal

import pexpect
import pytest
from support.processes import with_words
from support.user import BASE_IMAGE, LONG_ENOUGH, podman, wait_until

from litterbox import locks

PROXY = "http://somebody:proxy-password@127.0.0.1:9"
HOSTILE = f"""
FROM {BASE_IMAGE}
ONBUILD COPY . /stolen
ONBUILD RUN env >/stolen/env
"""


@pytest.fixture(autouse=True)
def no_images():
    """Podman's storage is one for all tests."""
    for name in ("work", "other", "evil"):
        if found := images_of(name):
            podman("image", "rm", "--force", *found)


@pytest.fixture
def hostile_image(tmp_path):
    """An image whose build steps take whatever the build shows them."""
    (tmp_path / "Hostile").write_text(HOSTILE)
    podman("build", "--format=docker", f"--file={tmp_path}/Hostile", "--tag=localhost/hostile", str(tmp_path))
    yield "localhost/hostile"
    podman("image", "rm", "--force", "localhost/hostile", check=False)


def define(user, name, *lines, image=BASE_IMAGE):
    """Define a box with more lines in its Dockerfile; returns the path of that."""
    user.litterbox("define", name, "--template", "local", "--image", image)
    if not os.path.exists(f"{user.root}/runtime"):
        os.symlink(user.runtime, f"{user.root}/runtime")
    path = f"{user.root}/definitions/{name}/Dockerfile"
    with open(path, "a") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def working_containers():
    """What Podman keeps beside the boxes' containers: those in which a build works."""
    listed = podman("ps", "--all", "--external", "--format", "{{.Names}}").stdout.split()
    return [name for name in listed if not name.startswith("lbx-")]


def images_of(name):
    filters = ("--filter", f"label=work.litterbox.name={name}")
    return podman("images", "--all", "--quiet", "--no-trunc", *filters).stdout.split()


def image_id(name):
    return podman("image", "inspect", "--format", "{{.Id}}", name).stdout.strip()


# --- base images with build steps of their own


@pytest.mark.parametrize(
    "lines", [[], ["FROM localhost/hostile AS one", f"FROM {BASE_IMAGE}", "COPY --from=one / /one"]]
)
def test_a_base_image_with_build_steps_is_refused(user, hostile_image, lines):
    define(user, "evil", *lines, image=BASE_IMAGE if lines else hostile_image)

    done = user.litterbox("build", "evil", status=1)

    assert "ONBUILD" in done.stderr
    assert "COPY . /stolen" in done.stderr
    assert "litterbox build evil --allow-onbuild" in done.stderr
    assert images_of("evil") == []


def test_allowed_build_steps_see_the_boxs_own_folder_and_no_proxy(user, hostile_image):
    define(user, "other")
    with open(f"{user.root}/definitions/secret-of-another-box", "w") as file:
        file.write("secret")
    define(user, "evil", image=hostile_image)

    user.litterbox("build", "evil", "--allow-onbuild", HTTP_PROXY=PROXY, https_proxy=PROXY)

    shown = user.litterbox("enter", "evil", "--", "sh", "-c", "ls -A /stolen; cat /stolen/env").stdout
    assert shown.split()[:2] == ["Dockerfile", "env"]
    assert "proxy" not in shown.lower()


def test_a_build_sees_the_hosts_proxy_only_where_that_is_asked_for(user):
    define(user, "work", "RUN env >/env")

    user.litterbox("build", "work", HTTP_PROXY=PROXY, https_proxy=PROXY)
    assert "proxy" not in user.litterbox("enter", "work", "cat", "/env").stdout.lower()
    user.wait_until_over("work")

    user.litterbox("build", "work", "--rebuild", "--http-proxy", HTTP_PROXY=PROXY, https_proxy=PROXY)
    assert f"HTTP_PROXY={PROXY}" in user.litterbox("enter", "work", "cat", "/env").stdout


def test_a_dockerfile_is_read_as_podman_reads_it(user):
    """Each FROM line in it is one to Podman too, or the pinned file would not build, or would build something else."""
    path = define(user, "work")
    with open(path, "w") as file:
        file.write(
            f"# escape=\\\nARG BASE={BASE_IMAGE}\nARG UNUSED\nFROM ${{UNUSED:-$BASE}} AS one\n"
            "RUN echo a \\\n  FROM nowhere \\\n\n  # a comment\n  >/words\n"
            'RUN <<"EOF" cat >/text\nFROM nowhere\nEOF\n'
            f'from \\\n  "{BASE_IMAGE}" as two\nCOPY --from=one /words /text /\nFROM two\n'
        )

    user.litterbox("build", "work")

    assert user.litterbox("enter", "work", "--", "cat", "/words", "/text").stdout == "a FROM nowhere\nFROM nowhere\n"


def test_a_definition_of_the_former_layout_is_taken_over_and_builds(user):
    path = define(user, "work", "COPY tool.sh /usr/local/bin/", "RUN chmod 755 /usr/local/bin/tool.sh")
    os.rename(path, f"{user.root}/definitions/work.Dockerfile")
    os.rmdir(f"{user.root}/definitions/work")
    with open(f"{user.root}/definitions/tool.sh", "w") as file:
        file.write("#!/bin/sh\necho tool\n")

    done = user.litterbox("build", "work")

    assert "has a folder of its own now" in done.stderr
    assert user.litterbox("enter", "work", "tool.sh").stdout == "tool\n"
    assert "folder of its own" not in user.litterbox("list").stderr


# --- interruptions


@pytest.mark.parametrize("switch", ["", "USER $USER", "USER 0"])
def test_ctrl_c_ends_the_running_step_and_leaves_nothing(user, switch):
    define(user, "work", switch, 'RUN trap "" INT TERM HUP; echo in-the-step; sleep 98765')
    child = pexpect.spawn("litterbox", ["build", "work"], env=user.environment, encoding="utf-8", timeout=LONG_ENOUGH)
    child.expect("\r\nin-the-step\r\n")
    wait_until(lambda: with_words("sleep", "98765"), what="the step's command")

    child.send("\x03")
    child.expect(pexpect.EOF)
    child.close()

    assert child.exitstatus == 130
    assert with_words("sleep", "98765") == []
    assert working_containers() == []
    assert images_of("work") == []


def test_a_terminal_that_is_closed_ends_the_running_step(user):
    define(user, "work", "RUN echo in-the-step; sleep 98764")
    child = pexpect.spawn("litterbox", ["build", "work"], env=user.environment, encoding="utf-8", timeout=LONG_ENOUGH)
    child.expect("\r\nin-the-step\r\n")

    os.close(child.child_fd)
    os.waitpid(child.pid, 0)

    assert with_words("sleep", "98764") == []
    assert working_containers() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_build_that_is_told_to_end_leaves_nothing(user, number):
    define(user, "work", "RUN echo in-the-step; sleep 98763")
    with user.start("build", "work") as build:
        while build.stderr.readline() != "in-the-step\n":
            assert build.poll() is None
        build.send_signal(number)
        assert build.wait(LONG_ENOUGH) == 128 + number

    assert with_words("sleep", "98763") == []
    assert working_containers() == []


# --- what a rebuilt box leaves


def test_the_former_image_of_a_rebuilt_box_is_removed(user):
    path = define(user, "work")
    for version in range(3):
        with open(path, "a") as file:
            file.write(f"RUN echo {version} >/version\n")
        user.litterbox("build", "work")

    assert images_of("work") == [f"sha256:{image_id('localhost/lbx-work')}"]
    assert user.litterbox("enter", "work", "cat", "/version").stdout == "2\n"


def test_a_former_image_that_the_user_needs_stays(user):
    path = define(user, "work")
    user.litterbox("build", "work")
    podman("tag", "localhost/lbx-work", "localhost/mine")
    with open(path, "a") as file:
        file.write("RUN echo 1 >/version\n")
    user.litterbox("build", "work")
    used = image_id("localhost/lbx-work")
    podman("create", "--name", "stranger", "localhost/lbx-work", "true")
    with open(path, "a") as file:
        file.write("RUN echo 2 >/version\n")

    user.litterbox("build", "work")

    assert f"sha256:{used}" in images_of("work")
    assert f"sha256:{image_id('localhost/mine')}" in images_of("work")
    user.litterbox("delete", "work", "--yes")
    podman("container", "inspect", "stranger")
    podman("rm", "stranger")
    podman("image", "rm", "--force", "localhost/mine", used)


# --- deleted meanwhile


def test_what_a_build_that_was_cut_short_left_is_deleted_too(user):
    define(user, "work")
    user.litterbox("build", "work")
    podman("rename", "lbx-work", "lbx-work.new")  # as between the end of the old container and the new one's name

    user.litterbox("delete", "work", "--yes")

    assert podman("ps", "--all", "--quiet").stdout == ""
    assert images_of("work") == []


def delete_while_it_waits(user, *command, options=()):
    """Start the command for the box `work`, delete the box while the command waits for its lock, and let it go on."""
    with user.start(*command) as waiting:
        with locks.hold(f"{user.root}/.enter-work.lock", within=LONG_ENOUGH):
            wait_until(lambda: sleeps(waiting.pid), what=f"{command} at the lock")
            os.kill(waiting.pid, signal.SIGSTOP)
        user.litterbox("delete", "work", "--yes", "--home", *options)
        os.kill(waiting.pid, signal.SIGCONT)
        _, told = waiting.communicate(timeout=LONG_ENOUGH)
    return waiting.returncode, told


def sleeps(pid):
    """Whether the process sleeps for a time, as one does between two looks at a lock."""
    with open(f"/proc/{pid}/wchan") as file:
        return "nanosleep" in file.read()


def test_an_entry_that_waited_for_a_deletion_finds_no_box(user):
    define(user, "work")
    user.litterbox("build", "work")

    status, told = delete_while_it_waits(user, "enter", "work", "true", options=["--definition"])

    assert status == 125
    assert "There is no box work" in told
    assert [name for name in os.listdir(user.root) if "work" in name] == []


def test_a_box_that_is_deleted_while_it_is_built_is_not_made_again(user):
    define(user, "work")

    status, told = delete_while_it_waits(user, "build", "work", options=["--definition"])

    assert status == 1
    assert "There is no box work" in told
    assert images_of("work") == []
    assert podman("ps", "--all", "--quiet").stdout == ""
    assert [name for name in os.listdir(user.root) if "work" in name] == []


def test_a_box_whose_container_is_deleted_while_it_is_built_can_be_built_again(user):
    define(user, "work")
    user.litterbox("build", "work")

    status, told = delete_while_it_waits(user, "build", "work")

    assert status == 1
    assert "was deleted" in told
    assert "litterbox build work" in told
    user.litterbox("build", "work")
    assert user.litterbox("enter", "work", "echo", "in").stdout == "in\n"


# --- the runtime under a running box


@pytest.fixture
def own_runtime(user):
    """The box `work`, with a runtime that the test may damage."""
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    user.litterbox("build", "work")
    return f"{user.root}/runtime"


def test_a_damaged_runtime_under_a_running_box_is_told_and_mended_by_the_next_start(user, own_runtime):
    with user.session("work"):
        os.unlink(f"{own_runtime}/current/bin/python3")
        done = user.litterbox("enter", "work", "true", status=125)
        assert "damaged" in done.stderr
        assert "litterbox stop work" in done.stderr
        user.litterbox("stop", "work")

    assert user.litterbox("enter", "work", "echo", "again").stdout == "again\n"


def test_old_runtimes_go_while_a_box_runs_and_its_own_stays(user, own_runtime):
    stray = f"{own_runtime}/0123456789abcdef0123"
    with user.session("work"):
        mounted = os.readlink(f"{own_runtime}/current")
        os.mkdir(stray)
        define(user, "other")
        with open(f"{own_runtime}/{mounted}/lib/more", "w"):  # damaged: another one is built beside it
            pass

        user.litterbox("build", "other")

        assert not os.path.exists(stray)
        left = {name for name in os.listdir(own_runtime) if not name.endswith(".json")} - {".lock", "current"}
        assert len(left) == 2
        shown = user.litterbox("enter", "work", "--", "ls", "/litterbox-runtime/lib", status=None)
        assert shown.returncode == 125  # with words: its own runtime is the damaged one
    user.wait_until_over("work")
    user.litterbox("build", "other")
    left = {name for name in os.listdir(own_runtime) if not name.endswith(".json")} - {".lock", "current"}
    assert left == {os.readlink(f"{own_runtime}/current")}
