"""Runs a function in a process of its own: nobody comes back from a user namespace that was entered (setns(2)).

The function runs after a fork and never returns to the caller's code, so it imports nothing: by then the files that it
sees may be a box's.
"""

import errno
import os
import select
import signal
from collections.abc import Callable

from litterbox.errors import HostError

TIMEOUT = 10.0  # seconds; what is done there takes milliseconds


def run(function: Callable[[], None], *, failure: str, hint: str = "") -> None:
    """Run `function` in a child process, which is killed after TIMEOUT seconds.

    Raises HostError where the function raises OSError, or the child does not end in time: `failure` and the reason.
    Only a process with a single thread may call this.
    """
    child = os.fork()
    if child == 0:
        os._exit(_status(function))
    ended = os.pidfd_open(child)
    try:
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        in_time = poll.poll(TIMEOUT * 1000)
        if not in_time:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(ended)
    number = os.waitstatus_to_exitcode(status)
    if not in_time:
        raise HostError(f"{failure}: process {child} did not do it within {TIMEOUT:.0f} s.", hint)
    if number != 0:
        reason = os.strerror(number) if number > 0 else f"signal {-number}"
        raise HostError(f"{failure}: {reason}.", hint)


def _status(function: Callable[[], None]) -> int:
    """The whole life of the child: 0, or the number of the error (errno(3))."""
    try:
        function()
    except OSError as error:
        return error.errno or errno.EIO
    except BaseException:  # noqa: BLE001 - nothing may leave for the parent's code
        return errno.EIO
    return 0
