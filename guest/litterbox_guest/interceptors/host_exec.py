"""host-exec in the box: a command of the host, as if it were one of the box's.

Starts without argparse, attrs and typing, and trio, which carries the streams, is imported only for a command that
does not end at once.
"""

import os

from litterbox_guest import __version__, standard, wire
from litterbox_guest.interceptors import early_signals, short_command
from litterbox_guest.interceptors.host import Host

_FAILED = 125  # the host cannot be reached, or went away
_NOT_RUNNABLE = 126  # the host refuses, or cannot run it
_USAGE_STATUS = 2

_USAGE = """\
Usage: host-exec [--] COMMAND [ARGUMENT…]

Run a command on the host, outside of the box. It must be one that the settings of the box name (on the host:
litterbox settings NAME host-exec add COMMAND PROGRAM). It has the host's environment, this standard input, output
and error, and a terminal where these have one. Signals are passed on to it.

  -V, --version    print the version
  -?, --help       print this

Exit status: the command's, 128 + N where signal N ended it; 126 where the host refuses or cannot run it; 125 where
there is no host, or it went away; 2 for a command line that cannot be.
"""


def main(arguments: "list[str]") -> int:
    """`host-exec`'s own command line. Raises GuestError."""
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
    """Run the command `words` on the host; returns its exit status. Raises GuestError."""
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
    except OSError:  # somebody has removed it
        return ""


def _terminal() -> "dict[str, object] | None":
    """The caller's terminal, where its input and its output are on one."""
    if not (os.isatty(0) and os.isatty(standard.OUTPUT)):
        return None
    try:
        columns, rows = os.get_terminal_size(0)
    except OSError:  # it was hung up just now
        return None
    stderr = os.isatty(standard.ERROR)
    return {"rows": rows, "columns": columns, "term": os.environ.get("TERM", ""), "stderr": stderr}
