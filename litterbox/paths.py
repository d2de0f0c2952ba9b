"""Every path that Litterbox uses on the host, and the check that stands before any path is made of a name.

The warm path of `enter` imports this: os only.
"""

import os

from litterbox.errors import BadBoxName, HostError

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_REST = _FIRST | {"_", "-"}
_MAX_NAME_LENGTH = 32
_SEPARATORS = frozenset(":;,\n")  # of lists of paths, in Podman's options and in the dynamic loader's
FORMER_DOCKERFILE = ".Dockerfile"  # the ending of a Dockerfile's name in the former layout
MAX_SOCKET_PATH_LENGTH = 107  # sun_path is 108 bytes, one of them the closing NUL (unix(7))


def check_box_name(name: str) -> str:
    """Return `name` when it is `[a-z0-9][a-z0-9_-]{0,31}`; raise BadBoxName when it is anything else."""
    if not is_box_name(name):
        shown = ascii(name if len(name) <= 64 else name[:61] + "...")
        raise BadBoxName(
            f"{shown} is not a box name.",
            "A name has 1 to 32 characters: lower-case letters, digits, '_' and '-', the first a letter or a digit.",
        )
    return name


def is_box_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME_LENGTH and name[0] in _FIRST and _REST.issuperset(name)


def container_name(name: str) -> str:
    return f"lbx-{check_box_name(name)}"


def image_name(name: str) -> str:
    return f"localhost/lbx-{check_box_name(name)}:latest"


# --- ~/Litterbox -----------------------------------------------------------------------------------------------


def root() -> str:
    """The folder that holds everything durable: LITTERBOX_ROOT, else ~/Litterbox. Raises HostError."""
    chosen = os.environ.get("LITTERBOX_ROOT") or os.path.join(os.path.expanduser("~"), "Litterbox")
    if not os.path.isabs(chosen) or _SEPARATORS.intersection(chosen):
        raise HostError(
            f"{chosen!a} cannot be the folder of Litterbox: it must be an absolute path without ':', ';' and ','.",
            "Set LITTERBOX_ROOT to another one.",
        )
    return chosen


def key_store() -> str:
    return os.path.join(root(), "keys.ron")


def definitions() -> str:
    return os.path.join(root(), "definitions")


def build_context(name: str) -> str:
    """The folder that `litterbox build` shows to the build of this box, and to no other: COPY takes files from it."""
    return os.path.join(definitions(), check_box_name(name))


def dockerfile(name: str) -> str:
    return os.path.join(build_context(name), "Dockerfile")


def former_dockerfile(name: str) -> str:
    """Where the Dockerfile was while all boxes shared one build context, the folder of definitions."""
    return os.path.join(definitions(), f"{check_box_name(name)}{FORMER_DOCKERFILE}")


def settings(name: str) -> str:
    return os.path.join(definitions(), f"{check_box_name(name)}.toml")


def homes() -> str:
    return os.path.join(root(), "homes")


def home(name: str) -> str:
    return os.path.join(homes(), check_box_name(name))


def logs() -> str:
    return os.path.join(root(), "logs")


def daemon_log(name: str) -> str:
    return os.path.join(logs(), f"daemon-{check_box_name(name)}.log")


def audit_log(name: str) -> str:
    return os.path.join(logs(), f"audit-{check_box_name(name)}.jsonl")


def agent_audit_log() -> str:
    """Of `litterbox agent`, which belongs to no box."""
    return os.path.join(logs(), "agent.jsonl")


def runtime_bundles() -> str:
    return os.path.join(root(), "runtime")


def lookup_tables() -> str:
    """The folder of what Podman reads in the place of a box's /etc/passwd and /etc/group."""
    return os.path.join(root(), "lookup")


def seccomp_profile(digest: str) -> str:
    return os.path.join(root(), "seccomp", f"{digest}.json")


def daemon_lock(name: str) -> str:
    return os.path.join(root(), f".daemon-{check_box_name(name)}.lock")


def session_lock(name: str) -> str:
    return os.path.join(root(), f".session-{check_box_name(name)}.lock")


def enter_lock(name: str) -> str:
    return os.path.join(root(), f".enter-{check_box_name(name)}.lock")


# --- $XDG_RUNTIME_DIR ------------------------------------------------------------------------------------------


def user_runtime() -> str:
    """$XDG_RUNTIME_DIR; raises HostError where it is not set or is not a folder of the user's own."""
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    way_out = "Log in through a session that sets it (systemd-logind does), or set it to a private folder of yours."
    if not folder:
        raise HostError("XDG_RUNTIME_DIR is not set, so there is no place for the sockets.", way_out)
    if not os.path.isabs(folder):
        raise HostError(f"XDG_RUNTIME_DIR is not an absolute path: {folder}", way_out)
    try:
        status = os.stat(folder)
    except OSError as error:
        raise HostError(f"XDG_RUNTIME_DIR cannot be used: {folder}: {error.strerror}", way_out) from error
    if status.st_uid != os.getuid():
        raise HostError(f"XDG_RUNTIME_DIR belongs to another user: {folder}", way_out)
    return folder


def sockets(name: str) -> str:
    """The folder of sockets that is mounted into the box."""
    return os.path.join(user_runtime(), "litterbox", check_box_name(name))


def host_socket(name: str) -> str:
    return _socket(os.path.join(sockets(name), f"{name}.sock"))


def agent_socket(name: str) -> str:
    return _socket(os.path.join(sockets(name), "ssh-agent.sock"))


def control_socket(name: str) -> str:
    return _socket(os.path.join(user_runtime(), "litterbox", f"{check_box_name(name)}.control.sock"))


def empty_folder(name: str) -> str:
    """Where the host commands of the box run that have no business in its home: never mounted, never written."""
    return os.path.join(user_runtime(), "litterbox", f"{check_box_name(name)}.empty")


def runtime_note(name: str) -> str:
    """Which runtime the running box has mounted: never mounted itself."""
    return os.path.join(user_runtime(), "litterbox", f"{check_box_name(name)}.runtime")


def _socket(path: str) -> str:
    if len(os.fsencode(path)) > MAX_SOCKET_PATH_LENGTH:
        raise HostError(
            f"The socket path is longer than the {MAX_SOCKET_PATH_LENGTH} bytes that Linux allows: {path}",
            "Set XDG_RUNTIME_DIR to a shorter path.",
        )
    return path
