"""`/litterbox entrypoint`: every entry comes here as root of the box, and leaves as the user's command.

It mends what `podman exec`, a bare image and Python's own start leave unfit for a session. Every `enter` pays
for what is imported here: os and small modules of our own, no re, typing, enum or collections.
"""

import os
import sys

from litterbox_guest import account, command, daemon_start, hosts, sessions
from litterbox_guest.errors import GuestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FAILED = 125  # what `podman exec` answers where it is not the command that failed
_RUN = "/run/litterbox"
_INTERCEPTORS = daemon_start.INTERCEPTORS
_TMP = "/tmp"  # noqa: S108 - the box's own, which sshd and ssh-agent use too; see _link_agent
_AGENT_LINK = f"{_TMP}/ssh-agent.sock"
_UMASK = 0o022
_HOME_PREPARED = ".local/state/litterbox/home-prepared"
_STANDARD = (0, 1, 2)

# Importing `signal` costs 4 ms, for its enums; the module under it is built into the interpreter.
_signal = __import__("_signal")


def main(arguments: list[str]) -> GuestError:
    """`[--root] [--workdir DIR] [--] [COMMAND…]`. Becomes the command; returns only why it could not."""
    _restore_signals()
    as_root, workdir, words = _parse(arguments)
    environment = dict(os.environ)
    user = account.of_the_box(environment)
    if not user.name:
        _attempt("the box does not know your name", account.enrol, user, environment.get("LITTERBOX_USER", "user"))
        user = account.of_the_box(environment)
    runtime = environment.setdefault("XDG_RUNTIME_DIR", f"/run/user/{user.uid}")
    _attempt("folders may be missing", _make_folders)
    _attempt("XDG_RUNTIME_DIR may not be yours", _own_runtime_folder, runtime, user)
    _attempt("the box may not know its own name", hosts.have_own_names)
    _attempt("the SSH agent cannot be reached", _link_agent, f"{runtime}/litterbox/ssh-agent.sock")
    _attempt("what runs may outlive its terminal", _join_session, environment.get("LITTERBOX_SESSION", ""))
    _attempt("the host's facilities may be missing", daemon_start.start_if_missing, environment)

    who = account.root() if as_root else user
    shell = command.find_shell(who.shell, environment)
    _mend_environment(environment, who, shell)
    if not as_root:
        _attempt("the terminal is not yours", _own_terminal, user)
        _attempt("the home is not prepared", _prepare_home, user, environment)
        user.assume()
    _change_folder(workdir, who.home)
    _close_descriptors()
    if words:
        return command.become(words, environment)
    return command.become_login_shell(shell, environment)


def _parse(arguments: list[str]) -> tuple[bool, str, list[str]]:
    as_root, workdir, rest = False, "", list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option == "--root":
            as_root = True
        elif option == "--workdir" and rest:
            workdir = rest.pop(0)
        else:
            raise GuestError(f"entrypoint: {option} is not an option that can be used so", FAILED)
    return as_root, workdir, rest


def _attempt(consequence: str, step: "Callable[..., None]", *arguments: object) -> None:
    """Take a step that an entry can do without: a box whose disk is full must be entered to be cleaned up."""
    try:
        step(*arguments)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        sys.stderr.write(f"litterbox: {consequence}: {error.strerror}{where}\n")


def _restore_signals() -> None:
    """Python ignores SIGPIPE and SIGXFSZ, and so would the command: `yes | head -1` would complain.

    SIGINT too, so that Ctrl-C while the home is prepared ends the entry and prints no traceback.
    """
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ, _signal.SIGINT):
        _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def _make_folders() -> None:
    """What an image may lack, each made with its mode at once, for others may be entering."""
    os.umask(0)
    try:
        for path, mode in ((_TMP, 0o1777), ("/run", 0o755), (_RUN, 0o755), (sessions.RECORDS, 0o700)):
            if not os.path.isdir(path):
                _make_folder(path, mode)
    finally:
        os.umask(_UMASK)


def _make_folder(path: str, mode: int) -> None:
    try:
        os.mkdir(path, mode)
    except FileExistsError:  # another entry was quicker
        return


def _own_runtime_folder(path: str, user: account.Account) -> None:
    """Podman mounts the tmpfs as root's."""
    os.makedirs(path, exist_ok=True)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(folder).st_uid == 0:
            os.fchmod(folder, 0o700)
            os.fchown(folder, user.uid, user.gid)
    finally:
        os.close(folder)


def _link_agent(target: str) -> None:
    """Make /tmp/ssh-agent.sock root's link to the agent, in place of whatever the box put there."""
    if _is_our_link(target):
        return
    temporary = f"{_TMP}/.litterbox-{os.urandom(8).hex()}"
    os.symlink(target, temporary)
    try:
        os.rename(temporary, _AGENT_LINK)
    except IsADirectoryError:  # a folder cannot be replaced by a rename, only moved aside
        _move_aside(f"{temporary}.moved")
        os.rename(temporary, _AGENT_LINK)


def _move_aside(where: str) -> None:
    try:
        os.rename(_AGENT_LINK, where)
    except FileNotFoundError:  # another entry was quicker
        return


def _is_our_link(target: str) -> bool:
    try:
        return os.lstat(_AGENT_LINK).st_uid == 0 and os.readlink(_AGENT_LINK) == target
    except OSError:  # not there, or not a link
        return False


def _join_session(session: str) -> None:
    """Tell `/litterbox wait` which process the session is, so that the session's end can be its end.

    The line may have left the lock before the record was there to be found; then nobody would end us.
    """
    if not sessions.is_session(session):
        return
    sessions.record(session, os.getpid())
    if not sessions.is_listed(session):
        raise GuestError("this session has ended before it began", FAILED)


def _own_terminal(user: account.Account) -> None:
    """`podman exec --user 0 --tty` makes the terminal root's, and the user could not open it by its name."""
    for descriptor in _STANDARD:
        if os.isatty(descriptor):
            os.fchown(descriptor, user.uid, -1)


def _mend_environment(environment: dict[str, str], who: account.Account, shell: str) -> None:
    name = who.name or ("root" if who.uid == 0 else environment.get("USER") or str(who.uid))
    environment.update(HOME=who.home, USER=name, LOGNAME=name)
    if shell:
        environment["SHELL"] = shell
    path = environment.get("PATH", command.DEFAULT_PATH).split(":")
    environment["PATH"] = ":".join([_INTERCEPTORS, *(folder for folder in path if folder != _INTERCEPTORS)])
    environment.pop("PWD", None)
    _restore_locale(environment)


def _restore_locale(environment: dict[str, str]) -> None:
    """Python in the C locale sets LC_CTYPE (PEP 538); the kernel still has what we were given.

    An image that names no locale gets C.UTF-8, which needs no locale data, so that a shell edits what was typed.
    """
    environment.setdefault("LANG", "C.UTF-8")
    if environment.get("LC_CTYPE") != "C.UTF-8":
        return
    del environment["LC_CTYPE"]
    try:
        with open("/proc/self/environ", "rb") as file:
            given = file.read().split(b"\0")
    except OSError:
        return
    for entry in given:
        if entry.startswith(b"LC_CTYPE="):
            environment["LC_CTYPE"] = os.fsdecode(entry.partition(b"=")[2])


def _prepare_home(user: account.Account, environment: dict[str, str]) -> None:
    marker = os.path.join(user.home, _HOME_PREPARED)
    if not os.path.lexists(marker):
        from litterbox_guest import home  # the first entry's work, not every entry's cost

        home.prepare(marker, user, environment, lock=f"{_RUN}/home.lock", skel="/etc/skel", script="/prep-home.sh")


def _change_folder(workdir: str, home: str) -> None:
    """Into `workdir`, which counts from the home; without one, into the home, or / where there is none."""
    try:
        os.chdir(home)
    except OSError:
        os.chdir("/")
    if workdir:
        try:
            os.chdir(workdir)
        except OSError as error:
            raise GuestError(f"--workdir {workdir}: {error.strerror}", FAILED) from error


def _close_descriptors() -> None:
    """Only the standard three are the command's."""
    os.closerange(len(_STANDARD), max(map(int, os.listdir("/proc/self/fd"))) + 1)
