"""`xdg-open` in the box: has the host open links on the user's desktop. It cannot open files.

Imports neither argparse, trio, attrs nor typing; host.py says why. Options and exit statuses are those of xdg-open(1).
"""

import os

from litterbox_guest import __version__
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors.host import Host
from litterbox_guest.standard import say

_BAD_SYNTAX = 1
_NO_SUCH_FILE = 2
_FAILED = 4  # status 3, a required tool could not be found, comes from the host

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_OF_A_SCHEME = _LETTERS | frozenset("0123456789+-.")

_USAGE = """\
xdg-open - opens a URL in the user's preferred application, on the host

Synopsis

xdg-open { URL }

xdg-open { --help | --manual | --version }

"""
_MANUAL = f"""\
Name

{_USAGE}Description

xdg-open asks the host to open a URL in the application that the user prefers
there, as the settings of the box allow: the setting xdg_open says whether, and
whether the user is asked each time; xdg_open_schemes lists what links may
begin with. A file of the box cannot be opened on the host.

Options

--help
    Show command synopsis.
--manual
    Show this manual page.
--version
    Show the version information.

Exit Codes

0
    The URL was opened.
1
    Error in command line syntax.
2
    The file passed on the command line did not exist.
3
    A required tool could not be found on the host.
4
    The action failed, or was refused.
"""
_PRINTED = {
    "--help": f"{_USAGE}Use 'xdg-open --manual' for additional info.\n",
    "--manual": _MANUAL,
    "--version": f"xdg-open of Litterbox {__version__}\n",
}


def main(arguments: "list[str]") -> int:
    """Run `xdg-open` with these arguments. Returns the exit status. Raises GuestError."""
    for word in arguments:
        if word in _PRINTED:
            say(_PRINTED[word])
            return 0
    if not arguments or not arguments[0]:
        say(_PRINTED["--help"])
        return _BAD_SYNTAX
    for number, word in enumerate(arguments):
        if word.startswith("-"):
            raise _wrong(f"unexpected option '{word}'")
        if number:
            raise _wrong(f"unexpected argument '{word}'")
    [word] = arguments
    path = _path(word)
    if path is not None:
        raise _refusal(word, path)
    Host("xdg_open", failed=_FAILED).request({"type": "xdg_open", "uri": word})
    return 0


def _path(word: str) -> "str | bytes | None":
    """Return the path of the file that the word names, None where the word is a link."""
    scheme, colon, rest = word.partition(":")
    if not colon or not scheme or scheme[0] not in _LETTERS or not _OF_A_SCHEME.issuperset(scheme):
        return word
    if scheme.lower() != "file":
        return None
    path = rest.partition("#")[0].partition("?")[0]
    if path.startswith("//"):
        path = "/" + path[2:].partition("/")[2]
    return _decoded(path)


def _decoded(path: str) -> bytes:
    """Decode percent-encoding. Importing urllib would take too long."""
    first, *rest = os.fsencode(path).split(b"%")
    for piece in rest:
        try:
            first += bytes.fromhex(piece[:2].decode("ascii")) + piece[2:]
        except ValueError:
            first += b"%" + piece
    return first


def _refusal(word: str, path: "str | bytes") -> GuestError:
    if os.path.exists(path):
        return GuestError(f"xdg-open: {word}: a file of the box cannot be opened on the host, only links can", _FAILED)
    return GuestError(f"xdg-open: {word}: there is no such file in the box, and it is not a link", _NO_SUCH_FILE)


def _wrong(sentence: str) -> GuestError:
    return GuestError(f"xdg-open: {sentence}\nTry 'xdg-open --help' for more information.", _BAD_SYNTAX)
