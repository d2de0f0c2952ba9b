"""What code in a box tries against its host: shell scripts, and system calls by the interpreter that each box has."""

PYTHON = "/litterbox-runtime/bin/python3"
# What every attempt begins with: a system call by its number (x86-64), and what came of it.
CALLS = """
import ctypes, errno, fcntl, os, signal, socket, struct, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *words):
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    answer = libc.syscall(ctypes.c_long(number), *words)
    return errno.errorcode[ctypes.get_errno()] if answer < 0 else answer
def attempt(function, *words):
    try:
        return function(*words)
    except OSError as error:
        return errno.errorcode[error.errno]
def in_child(function):
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, str(attempt(function)).encode())
        os._exit(0)
    os.close(write)
    return os.read(read, 4096).decode()
"""


def run(user, code, *, root=False, name="work"):
    """What Python code prints that is run in the box."""
    words = ["enter", name, *["--root"] * root, "--", PYTHON, "-ISc", CALLS + code]
    return user.litterbox(*words).stdout.split()


def shell(user, script, *, root=False, name="work"):
    done = user.litterbox("enter", name, *["--root"] * root, "--", "sh", "-c", script, status=None)
    return done.returncode, done.stdout + done.stderr
