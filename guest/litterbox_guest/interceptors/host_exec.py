"""`host-exec` in the box: runs a command of the host as if it were a command of the box.

This module imports neither argparse, attrs nor typing. It imports trio, which carries the streams, only for a command
that does not end at once.
"""

import os

from litterbox_guest import __version__, standard, wire
from litterbox_guest.interceptors import early_signals, short_command
from litterbox_guest.interceptors.host import Host

_FAILED = 125  # the host cannot be reached, or has gone
_NOT_RUNNABLE = 126  # the host refuses, or cannot run it
_USAGE_STATUS = 2

_USAGE = """\
Usage: host-exec [--] COMMAND [ARGUMENT…]

Run a command on the host, outside of the box. It must be one that the settings of the box name (on the host:
litterbox settings NAME host-exec add COMMAND PROGRAM). It has the environment of the host, and the standard input,
output and error of host-exec, also where these are a terminal. Signals are passed on to it.

  -V, --version    print the version
  -?, --help       print this

Exit status: the command's, 128 + N where signal N ended it; 126 where the host refuses or cannot run it; 125 where
the host cannot be reached or has gone; 2 for an invalid command line.
"""


def main(arguments: "list[str]") -> int:
    """Run `host-exec` with these arguments. Returns the exit status. Raises GuestError."""
    match arguments:
        case ["--help" | "-?" | "-h", *_]:
            standard.say(_USAGE)
            return 0
        case ["--version" | "-V", *_]:
            standard.say(f"host-exec of Litterbox {__version__}\n")
            return 0
        case ["--", *words] if words:
            return run(words)
        case [word, *_] if not word.startswith("-"):
            return run(arguments)
    standard.say(_USAGE, standard.ERROR)
    return _USAGE_STATUS


def run(words: "list[str]") -> int:
    """Run the command `words` on the host. Returns its exit status. Raises GuestError."""
    host = Host("host_exec", features=(wire.STREAMS,), failed=_FAILED, refused=_NOT_RUNNABLE)
    early_signals.hold()  # before the size of the terminal is read, and before the command can begin
    terminal = _terminal()
    message: dict[str, object] = {"type": "host_exec", "command": words[0], "args": words[1:]}
    message["working_dir"] = _working_dir()
    if terminal is not None:
        message["terminal"] = terminal
    early_signals.begin(host, message)
    first = [] if terminal else short_command.first_frames(host)
    status = short_command.finish(first)
    if status is not None:
        return status

    from litterbox_guest.interceptors import host_streams

    return host_streams.main(host.socket.detach(), host.frames, first, has_terminal=terminal is not None)


def _working_dir() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed
        return ""


def _terminal() -> "dict[str, object] | None":
    """Describe the caller's terminal. None where input and output are not both a terminal."""
    if not (os.isatty(0) and os.isatty(standard.OUTPUT)):
        return None
    try:
        columns, rows = os.get_terminal_size(0)
    except OSError:  # it was hung up in this moment
        return None
    stderr = os.isatty(standard.ERROR)
    return {"rows": rows, "columns": columns, "term": os.environ.get("TERM", ""), "stderr": stderr}
