"""The names that resolve without a server: Podman writes no /etc/hosts, since it would have the host's names in it."""

import os
import stat

_PATH = "/etc/hosts"
_MAX_READ = 64 * 1024  # bytes; our own line is written once and found again
_MODE = 0o644


def have_own_names(path: str = _PATH) -> None:
    """Add localhost and the box's own name to the file, where it does not have them. HostNames as root; raises OSError.

    What stands there is the image's and the user's, and stays. sudo, for one, looks the own name up.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Opened for both, so that a FIFO does not make us wait.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK, _MODE)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            content = os.read(descriptor, _MAX_READ)
            if missing := _missing(content, os.fsencode(os.uname().nodename)):
                os.fchmod(descriptor, _MODE)  # a build leaves an empty file that only root can read
                os.write(descriptor, b"\n" * (not content.endswith(b"\n") and content != b"") + missing)
    finally:
        os.close(descriptor)


def _missing(content: bytes, own_name: bytes) -> bytes:
    lines = [line.partition(b"#")[0].split() for line in content.splitlines()]
    names = {name for line in lines for name in line[1:]}
    wanted = ((b"127.0.0.1", b"localhost"), (b"::1", b"localhost"), (b"127.0.1.1", own_name))
    return b"".join(b"%s\t%s\n" % pair for pair in wanted if pair[1] not in names)
