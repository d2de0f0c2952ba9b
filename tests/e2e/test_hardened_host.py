"""What code in a box finds of its host, and what it can use up there: files, hardware, counters, services."""

import contextlib
import os
import socket
import subprocess
import threading

import pytest
from support.attempts import CALLS, PYTHON, run, shell
from support.user import podman

BOTH = pytest.mark.parametrize("root", [False, True], ids=["user", "root"])


# --- the files of the host


@BOTH
def test_setuid_programs_and_devices_in_what_is_mounted_count_for_nothing(one_user, one_box, root):
    said = run(
        one_user,
        "\n".join(
            f"print(os.statvfs({place!r}).f_flag & 6)"  # nosuid, nodev
            for place in (
                "/home/user",
                "/litterbox-runtime",
                "/run/user/1000/litterbox",
                "/run/user/1000",
                "/session.lock",
            )
        ),
        root=root,
    )
    assert said == ["6"] * 5


def test_a_setuid_program_that_root_left_in_the_home_gives_its_user_nothing(one_user, one_box):
    assert shell(one_user, "cp /usr/bin/id /home/user/id && chmod 4755 /home/user/id", root=True)[0] == 0
    assert shell(one_user, "/home/user/id -u")[1] == "1000\n"


# --- what tells of the host


@BOTH
def test_what_tells_of_the_hosts_hardware_is_empty(one_user, one_box, root):
    _, said = shell(
        one_user,
        "for f in cmdline interrupts partitions diskstats key-users keys modules kallsyms; do"
        "  [ ! -e /proc/$f ] || head -c 10 /proc/$f; done 2>/dev/null;"
        "for d in /proc/acpi /proc/bus /sys/firmware /sys/block /sys/bus /sys/class/dmi /sys/class/block /sys/dev; do"
        "  ls -A $d; done 2>/dev/null",
        root=root,
    )
    assert said == ""
    assert shell(one_user, "umount /proc/keys", root=root)[0] != 0


# --- what is counted for the user outside too


@BOTH
def test_a_box_leaves_the_user_inotify_instances(one_user, one_box, root):
    code = """
taken = []
while isinstance(call(294, 0), int): taken.append(1)
print(len(taken), flush=True); sys.stdin.read()
"""
    with open("/proc/sys/user/max_inotify_instances") as file:
        instances = int(file.read())
    words = ["enter", one_box, *["--root"] * root, "--", PYTHON, "-ISc", CALLS + code]
    with one_user.start(*words, stdin=subprocess.PIPE) as hungry:
        assert 0 < int(hungry.stdout.readline()) <= max(16, instances // 4)
        hungry.stdin.close()


def test_a_box_has_so_many_processes_and_no_more(one_user, one_box):
    said = run(
        one_user,
        """
def limit(function, *numbers):
    pair = (ctypes.c_ulong * 2)(*numbers)
    answer = function(6, pair)  # RLIMIT_NPROC
    return errno.errorcode[ctypes.get_errno()] if answer else [*pair]
soft, hard = limit(libc.getrlimit, 0, 0)
print(soft, hard, limit(libc.setrlimit, hard + 1, hard + 1))
limit(libc.setrlimit, 20, 20)
print(in_child(lambda: [os.fork() or signal.alarm(5) or signal.pause() for _ in range(30)]))
""",
    )
    assert int(said[0]) <= 4096
    assert said == [said[0], said[0], "EPERM", "EAGAIN"]


def test_memory_that_is_not_the_boxs_disk_is_bounded(one_user, one_box):
    said = run(one_user, "for at in ('/run/user/1000', '/dev/shm'): v = os.statvfs(at); print(v.f_blocks * v.f_frsize)")
    assert [int(size) <= 256 * 1024 * 1024 for size in said] == [True, True]


def test_what_root_writes_to_the_containers_log_is_bounded(one_user, one_box):
    with one_user.session(one_box):
        assert shell(one_user, "yes escape | head -c 5000000 >/proc/1/fd/1", root=True)[0] == 0
        log = podman("inspect", "--format", "{{.HostConfig.LogConfig.Path}}", f"lbx-{one_box}").stdout.strip()
        assert os.stat(log).st_size < 2_000_000


# --- the network


@contextlib.contextmanager
def service(family, address):
    """A service of the host's, that says "host" to who reaches it; yields its port."""
    with socket.create_server((address, 0), family=family) as server:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(b"host")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def test_services_of_the_host_are_not_at_the_addresses_that_stand_for_it(one_user, one_box):
    with service(socket.AF_INET, "0.0.0.0") as on_all, service(socket.AF_INET, "127.0.0.1") as on_loopback:
        said = run(
            one_user,
            f"""
route = [line.split() for line in open('/proc/net/route').read().splitlines()[1:]]
gateway = [socket.inet_ntoa(struct.pack('<I', int(row[2], 16))) for row in route if row[1] == '00000000'][:1]
for address in ('169.254.1.2', '127.0.0.1', *gateway):
    for port in ({on_all}, {on_loopback}):
        with socket.socket() as tried:
            tried.settimeout(2)
            print('reached' if attempt(tried.connect, (address, port)) is None and tried.recv(9) == b'host' else 'no')
""",
        )
    assert set(said) == {"no"}


def test_no_name_in_the_box_is_the_hosts(one_user, one_box):
    _, said = shell(one_user, "cat /etc/hosts; getent hosts lbx-work localhost host.containers.internal")
    assert "containers.internal" not in said
    assert sorted({word for line in said.splitlines() for word in line.split()[1:]}) == ["lbx-work", "localhost"]


@BOTH
def test_abstract_sockets_of_the_host_are_out_of_reach(one_user, one_box, root):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0litterbox-test")
        server.listen()
        said = run(one_user, "print(attempt(socket.socket(socket.AF_UNIX).connect, '\\0litterbox-test'))", root=root)
    assert said == ["ECONNREFUSED"]


# --- messages between processes


@BOTH
def test_no_namespace_is_shared_with_the_host(one_user, one_box, root):
    names = ("net", "ipc", "pid", "uts", "user", "mnt", "cgroup")
    said = run(one_user, f"for name in {names}: print(os.readlink('/proc/self/ns/' + name))", root=root)
    assert not {os.readlink(f"/proc/self/ns/{name}") for name in names}.intersection(said)
    assert podman("inspect", "--format", "{{.HostConfig.IpcMode}}", f"lbx-{one_box}").stdout == "private\n"
