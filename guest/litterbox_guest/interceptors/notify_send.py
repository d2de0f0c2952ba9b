"""`notify-send` in the box: has the options of libnotify's, and has the host show the notification.

Imports neither argparse, trio, attrs nor typing; host.py says why.
"""

from litterbox_guest import __version__
from litterbox_guest.errors import GuestError
from litterbox_guest.interceptors.host import FAILED, Host
from litterbox_guest.standard import say

_URGENCIES = ("low", "normal", "critical")
_MAX_NUMBER = 2**31 - 1

_USAGE = """\
Usage: notify-send [OPTION…] <SUMMARY> [BODY]

Show a notification on the host's desktop. It says which box it comes from.

  -u, --urgency=LEVEL          low, normal or critical
  -t, --expire-time=TIME       milliseconds until it disappears; 0 to stay
  -a, --app-name=APP_NAME      the application's name, shown behind the box's
  -i, --icon=ICON              the name of an icon of the host's theme
  -c, --category=TYPE          accepted, and not used
  -h, --hint=TYPE:NAME:VALUE   accepted, and not used
  -e, --transient              accepted, and not used
  -p, --print-id               print the notification's id
  -r, --replace-id=ID          replace an earlier notification of this box
  -w, --wait                   wait until it is closed
  -A, --action=[NAME=]TEXT     add a button, and wait; prints the NAME, or the number, of the chosen one
  -v, --version                print the version
  -?, --help                   print this
"""

_WITH_VALUE = {
    "-u": "--urgency",
    "-t": "--expire-time",
    "-a": "--app-name",
    "-i": "--icon",
    "-c": "--category",
    "-h": "--hint",
    "-r": "--replace-id",
    "-A": "--action",
}
_WITHOUT = {"-e": "--transient", "-p": "--print-id", "-w": "--wait", "-v": "--version", "-?": "--help"}
_FIELDS = {
    "--urgency": "urgency",
    "--app-name": "app",
    "--icon": "icon",
    "--expire-time": "timeout",
    "--replace-id": "replaces",
}


def main(arguments: "list[str]") -> int:
    """Run `notify-send` with these arguments. Returns the exit status. Raises GuestError, with status 1."""
    options, words = _parse(arguments)
    names = [name for name, _value in options]
    if "--help" in names:
        say(_USAGE)
        return 0
    if "--version" in names:
        say(f"notify-send of Litterbox {__version__}\n")
        return 0
    if not words or len(words) > 2:
        raise _wrong("give a summary, and a body behind it if there is one")
    message = _message(options, words)
    host = Host("notify")
    shown = host.request(message)
    if "--print-id" in names:
        say(f"{shown.get('id')}\n")
    if message["wait"] or message["actions"]:
        action = host.receive().get("action")
        if isinstance(action, str):
            say(f"{action}\n")
    return 0


def _message(options: "list[tuple[str, str]]", words: "list[str]") -> "dict[str, object]":
    """Make the `notify` message."""
    actions: list[dict[str, str]] = []
    message: dict[str, object] = {"type": "notify", "summary": words[0], "body": "", "wait": False, "actions": actions}
    if len(words) > 1:
        message["body"] = words[1]
    for name, value in options:
        match name:
            case "--urgency" if value not in _URGENCIES:
                raise _wrong(f"{value!r} is not an urgency: say low, normal or critical")
            case "--urgency" | "--app-name" | "--icon":
                message[_FIELDS[name]] = value
            case "--expire-time" | "--replace-id":
                message[_FIELDS[name]] = _number(name, value)
            case "--action":
                key, equals, label = value.partition("=")
                actions.append({"key": key, "label": label} if equals else {"key": str(len(actions)), "label": value})
            case "--wait":
                message["wait"] = True
    return message


def _parse(arguments: "list[str]") -> "tuple[list[tuple[str, str]], list[str]]":
    """Split the arguments as getopt_long(3) does: into options with their long names, and the other words."""
    options: list[tuple[str, str]] = []
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return options, words + rest
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in _WITH_VALUE.values():
                options.append((name, value if equals else _next(rest, name)))
            elif name in _WITHOUT.values() and not equals:
                options.append((name, ""))
            else:
                raise _wrong(f"unknown option {word}")
        elif word.startswith("-") and word != "-":
            _parse_short(word, rest, options)
        else:
            words.append(word)
    return options, words


def _parse_short(word: str, rest: "list[str]", options: "list[tuple[str, str]]") -> None:
    """Read the short options of one word, such as "-pw" and "-ulow"."""
    for index, letter in enumerate(word[1:], start=1):
        name = f"-{letter}"
        if name in _WITH_VALUE:
            value = word[index + 1 :]
            options.append((_WITH_VALUE[name], value or _next(rest, name)))
            return
        if name not in _WITHOUT:
            raise _wrong(f"unknown option {name}")
        options.append((_WITHOUT[name], ""))


def _next(rest: "list[str]", name: str) -> str:
    if not rest:
        raise _wrong(f"{name} needs a value")
    return rest.pop(0)


def _number(name: str, value: str) -> int:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10 and abs(int(value)) <= _MAX_NUMBER):
        raise _wrong(f"{name} takes a whole number, not {value!r}")
    return int(value)


def _wrong(sentence: str) -> GuestError:
    return GuestError(f"notify-send: {sentence}", FAILED)
