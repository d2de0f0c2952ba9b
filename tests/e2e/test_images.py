"""The guest works in any image, and runs nothing of it that it was not asked to run."""

import os
import shutil

import pexpect
from support.user import BASE_IMAGE, LONG_ENOUGH


def test_from_scratch_with_a_static_command(user):
    user.litterbox("define", "work", "--template", "local", "--image", BASE_IMAGE)
    shutil.copy("/bin/busybox", f"{user.root}/definitions/work/busybox")
    with open(f"{user.root}/definitions/work/Dockerfile", "w") as file:
        file.write("FROM scratch\nCOPY busybox /tools/busybox\n")
    user.litterbox("build", "work")
    done = user.litterbox("enter", "work", "--", "/tools/busybox", "echo", "hello from nothing")
    assert done.stdout == "hello from nothing\n"
    assert user.litterbox("enter", "work", "--", "/tools/busybox", "ls", "/").stdout.count("\n") < 20
    user.wait_until_over("work")


def test_debian_without_python(user):
    user.define_and_build("work")
    assert user.litterbox("enter", "work", "python3", status=127)
    assert user.litterbox("enter", "work", "cat", "/etc/debian_version").stdout
    user.wait_until_over("work")


def test_no_program_of_the_image_runs_as_its_root(user):
    marks = "RUN " + " && ".join(
        f"mkdir -p {folder} && printf '#!/bin/sh\\necho $0 $$ >>/marks\\n' >{folder}/{name}"
        f" && chmod 755 {folder}/{name}"
        for folder in ("/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin")
        for name in ("ldconfig", "gcc", "cc", "ld", "objdump", "uname", "file")
    )
    dockerfile = f"FROM {BASE_IMAGE}\nRUN touch /marks && chmod 666 /marks\n{marks}\n"
    user.define_and_build("work", dockerfile)
    with user.session("work"):
        user.litterbox("enter", "work", "true")
        assert user.litterbox("enter", "work", "cat", "/marks").stdout == ""
        user.litterbox("enter", "work", "gcc")
        assert "/gcc" in user.litterbox("enter", "work", "cat", "/marks").stdout
    user.wait_until_over("work")


def test_a_terminal_command_prints_no_error(user):
    user.define_and_build("work")
    command = "yes | head -1; echo > $(tty); echo the end"
    terminal = pexpect.spawn(
        "litterbox",
        ["enter", "work", "--", "sh", "-c", command],
        env=user.environment,
        timeout=LONG_ENOUGH,
        encoding="utf-8",
    )
    terminal.expect(pexpect.EOF)
    assert terminal.before.splitlines() == ["y", "", "the end"]
    terminal.close()
    assert terminal.exitstatus == 0


def test_the_environment_is_as_a_shell_expects_it(user):
    user.define_and_build("work")
    lines = user.litterbox("enter", "work", "env").stdout.splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    assert "LC_CTYPE" not in environment
    assert environment["PATH"].startswith("/run/litterbox/bin:")
    assert environment["SSH_AUTH_SOCK"] == "/tmp/ssh-agent.sock"
    assert environment["XDG_RUNTIME_DIR"] == "/run/user/1000"
    masks = user.litterbox("enter", "work", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status").stdout.split()
    assert masks == ["SigBlk:", "0" * 16, "SigIgn:", "0" * 16]


def test_a_user_whom_the_image_does_not_know_has_a_name_and_programs_can_add_others(user):
    user.define_and_build("work", f"FROM {BASE_IMAGE}\n")
    assert user.litterbox("enter", "work", "--", "id", "-un").stdout.strip() == os.environ["USER"]
    user.litterbox("enter", "work", "--root", "--", "useradd", "other")
    assert user.litterbox("enter", "work", "--", "id", "-un", "other").stdout == "other\n"
