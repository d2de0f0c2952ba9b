"""The soft limit on open files: raised for a daemon's listeners, given back to every child it starts.

A child with a raised soft limit can fail where it uses select(2), so each is started with `restore` as its
preexec function: one system call, safe after a fork.
"""

import resource
from collections.abc import Callable

_before: list[tuple[int, int]] = []


def raise_open_files(wanted: int) -> None:
    """Raise the soft limit to `wanted`, or as far as the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        _before.append((soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


def for_children() -> Callable[[], None] | None:
    """The preexec function for a child: None where nothing was raised, so that it may start the fast way."""
    return restore if _before else None


def restore() -> None:
    """In a child, before exec: the limit as it was."""
    if _before:
        resource.setrlimit(resource.RLIMIT_NOFILE, _before[0])
