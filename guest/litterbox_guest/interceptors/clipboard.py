"""`litterbox-clipboard` in the box: copies standard input to the user's clipboard, or writes the clipboard to output.

Imports neither argparse, trio, attrs nor typing; host.py says why.
"""

import os

from litterbox_guest import wire
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors.host import FAILED, Host, Refused
from litterbox_guest.standard import say

USAGE_FAILED = 2
MAX_SIZE = 16 * 1024 * 1024  # bytes that the host accepts
_TEXT = "text/plain;charset=utf-8"
_STDIN, _STDOUT = 0, 1

# Importing `signal` takes milliseconds, for its enums. The module below it has everything that is needed.
_signal = __import__("_signal")

_USAGE = """\
Usage: litterbox-clipboard get [OPTION…]
       litterbox-clipboard set [OPTION…]

Write the content of the host's clipboard to standard output (get), or copy standard input to the clipboard (set),
16 MiB at most. The host may ask its user first.

  -t, --type=MIME   the media type, such as image/png; text by default
  -p, --primary     the primary selection instead, which the middle mouse button pastes
      --help        print this

Exit status: 0, 1 where it failed or was refused, 2 where the command line is wrong.
"""


def main(arguments: "list[str]") -> int:
    """Run `litterbox-clipboard` with these arguments. Returns the exit status. Raises GuestError."""
    verb, fields = _parse(arguments)
    if verb == "help":
        say(_USAGE)
    elif verb == "get":
        _get(fields)
    else:
        _set(fields)
    return 0


def _set(fields: "dict[str, object]") -> None:
    # Read everything before the first piece is sent: the host waits for no slow writer, and refuses a large text.
    content = _standard_input()
    host = Host("clipboard", features=(wire.STREAMS,))
    for start in range(0, max(len(content), 1), wire.CHUNK):
        end = start + wire.CHUNK
        piece: dict[str, object] = {"type": "clipboard_set", **fields, "more": end < len(content)}
        host.send(piece, bytes(content[start:end]))
    host.receive()


def _get(fields: "dict[str, object]") -> None:
    host = Host("clipboard", features=(wire.STREAMS,))
    piece = host.request({"type": "clipboard_get", **fields})
    while True:
        data = piece.get("data")
        if not isinstance(data, bytes):
            raise Refused("the host sent what cannot be read", FAILED)
        _write(data)
        if not piece.get("more"):
            return
        piece = host.receive()


def _standard_input() -> bytearray:
    content = bytearray()
    try:
        while data := os.read(_STDIN, wire.CHUNK):
            content += data
            if len(content) > MAX_SIZE:
                raise GuestError(
                    f"litterbox-clipboard: there are more than {MAX_SIZE:,} bytes, which is the limit", FAILED
                )
    except OSError as error:
        raise GuestError(f"litterbox-clipboard: standard input cannot be read: {error.strerror}", FAILED) from error
    return content


def _write(data: bytes) -> None:
    try:
        while data:
            data = data[os.write(_STDOUT, data) :]
    except BrokenPipeError:
        # End as a filter does whose reader has gone: by SIGPIPE, which Python ignores by default.
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
        os.kill(os.getpid(), _signal.SIGPIPE)
    except OSError as error:
        raise GuestError(f"litterbox-clipboard: standard output cannot be written: {error.strerror}", FAILED) from error


def _parse(arguments: "list[str]") -> "tuple[str, dict[str, object]]":
    """Return what to do ("get", "set" or "help") and the fields of the message."""
    fields: dict[str, object] = {"mime_type": _TEXT, "primary": False}
    verbs: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in {"-h", "--help"}:
            return "help", fields
        if word in {"-p", "--primary"}:
            fields["primary"] = True
        elif word in {"-t", "--type"}:
            if not rest:
                raise _wrong(f"{word} needs a type, like image/png")
            fields["mime_type"] = rest.pop(0)
        elif name == "--type" and equals:
            fields["mime_type"] = value
        elif word in {"get", "set"}:
            verbs.append(word)
        else:
            raise _wrong(f"{word!r} is not understood")
    if len(verbs) != 1:
        raise _wrong("say get or set")
    return verbs[0], fields


def _wrong(sentence: str) -> GuestError:
    return GuestError(f"litterbox-clipboard: {sentence}; litterbox-clipboard --help tells more", USAGE_FAILED)
