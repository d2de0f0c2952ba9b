"""What the kernel would do for code in a box, and does not: keys, namespaces, sockets, capabilities."""

import pytest
from support.attempts import run, shell

BOTH = pytest.mark.parametrize("root", [False, True], ids=["user", "root"])


# --- keys, which the kernel keeps for a uid


@BOTH
def test_the_kernels_keys_are_out_of_reach(one_user, one_box, root):
    said = run(
        one_user,
        "print(call(250, 1, None), call(250, 0, -3, 0));"
        "print(call(248, b'user', b'x', b'x', 1, -3), call(249, b'user', b'x', b'', 0))",
        root=root,
    )
    assert said == ["ENOSYS"] * 4


# --- namespaces, and what of the kernel they open


@BOTH
def test_no_user_namespace_can_be_made_in_any_way(one_user, one_box, root):
    said = run(
        one_user,
        """
NEWUSER = 0x10000000
print(in_child(lambda: call(272, NEWUSER)), in_child(lambda: call(272, NEWUSER | 0x20000)))
print(in_child(lambda: call(56, NEWUSER | 17, 0, 0, 0, 0)))
print(call(435, struct.pack('8Q', NEWUSER, 0, 0, 0, 17, 0, 0, 0), 64))
print(open('/proc/sys/user/max_user_namespaces').read())
print(attempt(open, '/proc/sys/user/max_user_namespaces', 'w'))
""",
        root=root,
    )
    assert said == ["EPERM", "EPERM", "EPERM", "ENOSYS", "0", "EROFS"]


@BOTH
def test_no_namespace_and_no_mount_without_one_either(one_user, one_box, root):
    said = run(
        one_user,
        """
for flag in (0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000):
    print(in_child(lambda: call(272, flag)))
print(call(165, b'x', b'/mnt', b'tmpfs', 0, None), call(166, b'/session.lock', 2))
print(call(165, None, b'/session.lock', None, 32 | 4096, None))
""",
        root=root,
    )
    assert set(said) == {"EPERM"}


# --- sockets


@BOTH
def test_sockets_of_no_family_but_four(one_user, one_box, root):
    said = run(
        one_user,
        """
for family in (1, 2, 10, 16, 3, 15, 17, 29, 30, 38, 40, 44, 0x100000001):
    print(call(41, family, 2, 0) if family > 99 else attempt(lambda: socket.socket(family, 2).close()))
print(call(41, 16, 3, 9), call(53, 30, 1, 0, ctypes.create_string_buffer(8)))
""",
        root=root,
    )
    assert said == ["None"] * 4 + ["EAFNOSUPPORT"] * 9 + ["EINVAL", "EAFNOSUPPORT"]


@BOTH
def test_no_raw_sockets_and_no_rings(one_user, one_box, root):
    said = run(one_user, "print(attempt(socket.socket, 2, 3, 1), call(425, 4, bytes(120)))", root=root)
    assert said == ["EPERM", "ENOSYS"]


def test_the_call_of_32_bit_programs_opens_none(one_user, one_box):
    # mov eax, 102 (socketcall); mov ebx, 1 (SYS_SOCKET); ecx the arguments; int 0x80; in memory below 4 GiB
    said = run(
        one_user,
        """
low = libc.mmap; low.restype = ctypes.c_void_p
page = low(ctypes.c_void_p(0), ctypes.c_size_t(4096), 7, 0x22 | 0x40, -1, ctypes.c_long(0))  # MAP_32BIT
code = bytes.fromhex('53b866000000bb01000000b9') + struct.pack('<I', page + 64) + bytes.fromhex('cd805bc3')
ctypes.memmove(page, code, len(code))
ctypes.memmove(page + 64, struct.pack('<3I', 40, 1, 0), 12)
print(errno.errorcode[-ctypes.CFUNCTYPE(ctypes.c_int)(page)()])
""",
    )
    assert said in (["EAFNOSUPPORT"], ["ENOSYS"])  # the second where the kernel runs no 32-bit programs


# --- capabilities


def test_root_of_the_box_has_the_capabilities_that_packages_need_and_no_more(one_user, one_box):
    _, said = shell(one_user, "grep -E '^Cap(Prm|Bnd)' /proc/self/status", root=True)
    wanted = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 10, 18, 31))
    assert {int(line.split()[1], 16) for line in said.splitlines()} == {wanted}
    _, said = shell(one_user, "grep -E '^Cap(Prm|Eff)' /proc/self/status; grep NoNewPrivs /proc/self/status")
    assert [int(line.split()[1], 16) for line in said.splitlines()] == [0, 0, 0]


@BOTH
def test_what_is_for_the_administrator_of_the_host_is_refused(one_user, one_box, root):
    said = run(
        one_user,
        """
print(call(246, 0, 0, 0, 0), call(175, b'x', 1, b''), call(227, 0, struct.pack('qq', 1, 0)), call(170, b'x', 1))
print(call(163, b'/x'), call(321, 0, bytes(120), 120), call(298, bytes(120), 0, -1, -1, 0), call(172, 3))
print(call(304, os.open('/home/user', 0), struct.pack('IiII', 8, 1, 2, 0), 0))
print(attempt(os.mknod, '/home/user/node', 0o060600, os.makedev(254, 0)))
""",
        root=root,
    )
    assert set(said) <= {"EPERM", "ENOSYS"}
