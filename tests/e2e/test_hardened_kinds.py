"""Boxes that are not the default one: nested, from scratch, from an image that planted something."""

import os

from support.attempts import run, shell
from support.user import BASE_IMAGE, podman


def test_what_the_image_has_at_the_runtime_folder_is_not_copied(user):
    user.define_and_build("work", f"FROM {BASE_IMAGE}\nRUN mkdir -p /run/user/1000 && echo x >/run/user/1000/planted\n")
    assert shell(user, "ls -A /run/user/1000")[1] == "litterbox\n"


def test_a_nested_box_has_user_namespaces_with_a_proc_of_their_own_and_still_no_keys(user):
    user.define_and_build("work")
    user.litterbox("settings", "work", "set", "nested", "true")
    user.litterbox("build", "work")
    status, said = shell(user, "unshare -Ur id -u; unshare -Urmp --fork sh -c 'mount -t proc proc /proc && echo $$'")
    assert (status, said) == (0, "0\n1\n")
    assert run(user, "print(call(250, 0, -3, 0), attempt(socket.socket, 17, 3))") == ["ENOSYS", "EAFNOSUPPORT"]
    assert int(shell(user, "cat /proc/sys/user/max_user_namespaces")[1]) <= 1024


def test_a_box_from_scratch_is_as_hard(user):
    user.define_and_build("work", "FROM scratch\nLABEL empty=yes\n")
    said = run(
        user,
        "print(call(250, 0, -3, 0), call(272, 0x10000000), attempt(socket.socket, 40, 1), open('/etc/hosts').read())",
    )
    assert said[:3] == ["ENOSYS", "EPERM", "EAFNOSUPPORT"]
    assert "lbx-work" in said
    assert run(user, "print(call(250, 0, -3, 0), call(272, 0x10000000))", root=True) == ["ENOSYS", "EPERM"]


def test_homes_that_others_could_enter_are_closed_before_the_box_runs(user):
    user.define_and_build("work")
    os.chmod(f"{user.root}/homes", 0o755)
    # A box sets the mode of its own home, and makes programs in it that run as the user.
    assert shell(user, "cp /usr/bin/id ~/id && chmod 4755 ~/id && chmod 755 ~")[0] == 0
    assert os.stat(f"{user.root}/homes").st_mode & 0o777 == 0o700


def test_a_box_whose_start_was_cut_short_before_its_limits_is_limited_by_the_next_entry(user):
    user.define_and_build("work")
    podman("init", "lbx-work")
    assert shell(user, "cat /proc/sys/user/max_user_namespaces") == (0, "0\n")
