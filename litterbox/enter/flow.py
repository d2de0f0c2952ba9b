"""Entering a box: register the session, have a daemon and a running container, and become `podman exec`.

The order is that of docs/design.md, "Entering". The warm path, a daemon and a running box, asks only the control socket
and imports nothing heavy: what a cold box needs is imported where it is needed (start-up budget).
"""

from __future__ import annotations

import os
import sys
import time
from _signal import SIG_DFL, SIGPIPE, SIGXFSZ, signal

from litterbox import __version__, locks, paths, sessions
from litterbox.container import program
from litterbox.container.runtime import in_use
from litterbox.control import client
from litterbox.errors import DaemonError, DaemonGone, DaemonRunsAlready, HostError, NoSuchBox

TYPE_CHECKING = False  # typing's own costs milliseconds
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from litterbox.control.messages import Message

_DAEMON_START_TIMEOUT = 10.0  # seconds for a daemon that somebody else is starting
_LOCK_TIMEOUT = 120.0  # seconds for the enter lock, which an end of the box holds while Podman unmounts it
_LOOK_INTERVAL = 0.05
_TRIES = 3


def enter(
    name: str,
    *,
    as_root: bool = False,
    workdir: str | None = None,
    interactive: bool = False,
    terminal: bool = False,
    command: Sequence[str] = (),
) -> NoReturn:
    """Enter the box `name` and become the `podman exec` of its session. Raises LitterboxError.

    Standard input is the command's; it has a terminal where `terminal` says so, or where standard input and output are
    terminals and `interactive` does not say otherwise.
    """
    if not os.path.exists(paths.session_lock(name)):
        _no_such_box(name)
    session = register(name)
    arguments = exec_arguments(
        name,
        session=session,
        as_root=as_root,
        workdir=workdir,
        terminal=terminal or (not interactive and os.isatty(0) and os.isatty(1)),
        command=command,
    )
    become(arguments)


def register(name: str) -> sessions.Session:
    """Steps 1 to 6: returns when the box runs, watched by a daemon, with this process as one of its sessions."""
    session = sessions.own()
    vault_key: bytes | None = None
    asked = False
    while True:
        with locks.hold(paths.enter_lock(name), within=_LOCK_TIMEOUT, on_wait=_say_waiting):
            if not os.path.exists(paths.session_lock(name)):  # `delete` held the lock that we waited for
                _remove_lock_of_no_box(name)
                _no_such_box(name)
            answer = _answer_of_daemon(name)
            if answer is not None or asked:
                with sessions.SessionLock(paths.session_lock(name)) as lock:
                    lock.add(session)
                    try:
                        _have_running_box(name, answer, vault_key)
                    except BaseException:
                        lock.remove(session)
                        raise
                return session
        vault_key, asked = _unlock(name), True


def _have_running_box(name: str, answer: Message | None, vault_key: bytes | None) -> None:
    """Have a daemon and a running container, starting what is missing. The caller holds the enter lock."""
    if answer is None:
        answer = _start_daemon(name, vault_key)
    if answer["running"] == "yes":
        in_use.check(name)
    else:
        from litterbox.enter import cold  # start-up budget

        cold.start_container(name)
        answer = client.announce_start(name)
    if answer["notice"]:
        print(f"litterbox: {answer['notice']}", file=sys.stderr)


def _start_daemon(name: str, vault_key: bytes | None) -> Message:
    """Start a daemon and say what it answers to our entry.

    One that an interrupted `enter` left may be coming up, or going, just now: the next try meets it or replaces it.
    """
    from litterbox.daemon import start  # start-up budget

    for _ in range(_TRIES):
        try:
            start.spawn(name, vault_key, for_session=True)
        except DaemonRunsAlready:
            time.sleep(_LOOK_INTERVAL)
        answer = _answer_of_daemon(name)
        if answer is not None:
            return answer
    raise DaemonError(f"The daemon of {name} ended as soon as it was ready.", f"See: litterbox logs {name}")


def _answer_of_daemon(name: str) -> Message | None:
    """What the daemon says to our entry; None when none runs. One that is coming up is waited for.

    One that was killed may take our connection with it into its grave: it holds its lock no more when it is gone.
    """
    deadline = time.monotonic() + _DAEMON_START_TIMEOUT
    while True:
        try:
            answer = client.announce_entry(name)
        except DaemonGone:
            answer = None
        if answer is not None or not locks.is_held(paths.daemon_lock(name)):
            return answer
        if time.monotonic() > deadline:
            raise DaemonError(
                f"The daemon of {name} is running, but its socket is gone: {paths.control_socket(name)}. A logout may"
                " have emptied XDG_RUNTIME_DIR.",
                f"Stop the box and enter again: litterbox stop {name}",
            )
        time.sleep(_LOOK_INTERVAL)


def exec_arguments(
    name: str,
    *,
    session: sessions.Session,
    as_root: bool,
    workdir: str | None,
    terminal: bool,
    command: Sequence[str],
) -> list[str]:
    """The command line of the session's `podman exec`."""
    arguments = [
        "podman",
        "exec",
        "--detach-keys=",
        "--user=0:0",
        "--interactive",
        f"--env=LITTERBOX_SESSION={sessions.label(session)}",
        f"--env=LITTERBOX_HOST_VERSION={__version__}",
    ]
    if terminal:
        arguments.append("--tty")
        arguments += [f"--env={key}" for key in ("TERM", "COLORTERM", "NO_COLOR") if os.environ.get(key)]
    arguments += [paths.container_name(name), "/litterbox", "entrypoint"]
    if as_root:
        arguments.append("--root")
    if workdir is not None:
        arguments += ["--workdir", workdir]
    return [*arguments, "--", *command]


def become(arguments: list[str]) -> NoReturn:
    """Replace this process by podman, with the signals that Python changed as they were."""
    podman = program.find()
    for number in (SIGPIPE, SIGXFSZ):
        signal(number, SIG_DFL)
    os.chdir("/")  # ours may be gone, and Podman needs one
    try:
        os.execv(podman, arguments)
    except OSError as error:
        raise HostError(f"{podman} cannot be run: {error.strerror}.") from error


def _unlock(name: str) -> bytes | None:
    """The vault key when keys are attached to the box, asked for with no lock held; None when none are."""
    if not os.path.exists(paths.key_store()):
        return None
    from litterbox.keys import access  # start-up budget

    return access.vault_key_for_box(name)


def _no_such_box(name: str) -> NoReturn:
    from litterbox.container import define, podman  # start-up budget

    if podman.exists("container", paths.container_name(name)):
        raise NoSuchBox(
            f"The session lock of {name} is gone: {paths.session_lock(name)}.",
            f"Mend it: litterbox stop {name}; litterbox build {name}",
        )
    if define.has_dockerfile(name):
        raise NoSuchBox(f"The box {name} is defined but not built.", f"Build it: litterbox build {name}")
    define.check_defined(name)
    raise NoSuchBox(f"There is no box {name}.")


def _remove_lock_of_no_box(name: str) -> None:
    """Remove the enter lock, which we hold, where it is all that there is of a box."""
    from litterbox.container import podman  # start-up budget

    if not podman.exists("container", paths.container_name(name)):
        os.unlink(paths.enter_lock(name))


def _say_waiting(holder: str) -> None:
    print(f"litterbox: still waiting for the box's lock, held by {holder}", file=sys.stderr)
