"""The bounds of a daemon: what one box can make it hold. All follow from the open files that the system grants it.

A child with a raised soft limit can fail where it uses select(2), so each child is started with `restore` as its
preexec function: one system call, safe after a fork.
"""

import resource
from collections.abc import Callable

from litterbox.errors import HostError

MAX_CONNECTIONS = 4096  # of each listener that a box reaches; fewer where the system grants fewer open files
MAX_CONTROL_CONNECTIONS = 200  # of the control socket: one for each session that a box may have
MAX_HOST_COMMANDS = 32  # that run at once
MAX_NOTIFICATIONS = 16  # that are being shown or waited for at once; each has a connection to the desktop's bus

# Bytes of messages, unread or under way, that all connections of a listener hold together.
MAX_HELD_BY_AGENT = 16 * 1024 * 1024  # 64 of its longest messages
MAX_HELD_BY_CAPABILITIES = 64 * 1024 * 1024  # two frames for each of 32 host commands
MAX_SMALL_MESSAGE = 4096  # bytes that a connection may hold whatever the other connections hold
MESSAGE_TIMEOUT = 30.0  # seconds to finish a message that was begun, and to take an answer

# Descriptors that no connection of a box can take: 200 of the control socket, a pidfd for each of 200 sessions, six for
# each host command, and what is left for the log, the audit log, dialogs, the desktop's buses and Podman.
RESERVED_OPEN_FILES = 768
MIN_OPEN_FILES = 1024  # what every Linux grants where nobody lowered the limit

_before: list[tuple[int, int]] = []


def connections(listeners: int) -> int:
    """Raise the soft limit on open files for so many listeners; return how many connections each of them may have.

    That is MAX_CONNECTIONS where the hard limit allows it. Raises HostError where the hard limit is below
    MIN_OPEN_FILES.
    """
    granted = raise_open_files(RESERVED_OPEN_FILES + listeners * MAX_CONNECTIONS)
    if granted < MIN_OPEN_FILES:
        raise HostError(
            f"The limit on open files is {granted}, and Litterbox needs {MIN_OPEN_FILES}.",
            "Raise it for your account: `ulimit -Hn` shows it.",
        )
    return min(MAX_CONNECTIONS, (granted - RESERVED_OPEN_FILES) // listeners)


def raise_open_files(wanted: int) -> int:
    """Raise the soft limit to `wanted`, or as far as the hard limit allows; return the soft limit that we have then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= target:
        return wanted if soft == resource.RLIM_INFINITY else soft
    _before.append((soft, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
    return target


def for_children() -> Callable[[], None] | None:
    """The preexec function for a child: None where nothing was raised, so that it may start the fast way."""
    return restore if _before else None


def restore() -> None:
    """In a child, before exec: the limit as it was."""
    if _before:
        resource.setrlimit(resource.RLIMIT_NOFILE, _before[0])
