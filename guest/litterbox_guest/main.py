"""`/litterbox`: runs a command of the guest. Its name is the first argument, or the name of the link that was called.

A command's module is imported only when that command runs, because every entry of a box starts here.
"""

import os
import sys

from litterbox_guest import standard
from litterbox_guest.errors import GuestError

# Importing `signal` takes 4 ms, for its enums. The module below it is built into the interpreter.
_signal = __import__("_signal")

_USAGE = """\
usage: litterbox wait
       litterbox daemon [--replace]
       litterbox entrypoint [--root] [--workdir DIR] [--] [COMMAND...]
       litterbox notify-send [OPTION...] SUMMARY [BODY]
       litterbox xdg-open URL
       litterbox litterbox-clipboard get|set [OPTION...]
       litterbox host-exec [--] COMMAND [ARGUMENT...]
"""
_USAGE_STATUS = 2


def main(argv: list[str]) -> int:
    """Run the command that `argv` names. Returns the exit status."""
    called_as = os.path.basename(argv[0])
    by_own_name = called_as != "litterbox"
    try:
        match [called_as, *argv[1:]] if by_own_name else argv[1:]:
            case ["entrypoint", *arguments]:
                from litterbox_guest import entrypoint

                raise entrypoint.main(arguments)
            case ["wait"]:
                return _wait()
            case ["daemon", *options] if {"--ready", "--replace"}.issuperset(options):
                return _daemon(options)
            case [name, *arguments] if by_own_name or _is_interceptor(name):
                return _intercept(name, arguments)
            case _:
                standard.say(_USAGE, standard.ERROR)
                return _USAGE_STATUS
    except GuestError as error:
        standard.say(f"litterbox: {error.sentence}\n", standard.ERROR)
        return error.status


def _is_interceptor(name: str) -> bool:
    from litterbox_guest.interceptors import OF_CAPABILITY

    return name in OF_CAPABILITY.values()


def _intercept(name: str, arguments: list[str]) -> int:
    """Run the interceptor of that name, or the host command that has a link of that name."""
    standard.occupy()
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    from litterbox_guest.interceptors import OF_CAPABILITY

    if name == OF_CAPABILITY["notify"]:
        from litterbox_guest.interceptors import notify_send

        return notify_send.main(arguments)
    if name == OF_CAPABILITY["xdg_open"]:
        from litterbox_guest.interceptors import xdg_open

        return xdg_open.main(arguments)
    if name == OF_CAPABILITY["clipboard"]:
        from litterbox_guest.interceptors import clipboard

        return clipboard.main(arguments)
    from litterbox_guest.interceptors import host_exec

    return host_exec.main(arguments) if name == OF_CAPABILITY["host_exec"] else host_exec.run([name, *arguments])


def _daemon(options: list[str]) -> int:
    from litterbox_guest import daemon_start, libraries

    if not daemon_start.take_place(replace="--replace" in options):
        return 0  # another one runs

    libraries.use_none_of_the_image()  # before anything imports trio
    from litterbox_guest import daemon

    return daemon.main(os.environ, ready=daemon_start.READY if "--ready" in options else None)


def _wait() -> int:
    import signal

    from litterbox_guest import libraries

    # The kernel drops a signal that PID 1 has no handler for, and importing trio takes a while.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    libraries.use_none_of_the_image()  # before anything imports trio or pyinotify
    from litterbox_guest import wait

    return wait.main(os.environ)
