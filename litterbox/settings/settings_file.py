"""Changing a box's settings file and nothing else in it: comments, order and blank lines stay as the user left them."""

import os
import tomllib
from collections.abc import Callable

import attrs
import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import ParseError

from litterbox import files, locks, paths
from litterbox.errors import SettingsError, UsageError
from litterbox.settings import box_settings
from litterbox.settings.box_settings import Settings
from litterbox.settings.host_commands import Command

KEYS = tuple(key for key in attrs.fields_dict(Settings) if key != "commands")

LOCK_TIMEOUT = 30.0  # seconds; the lock is held for a few milliseconds

_DEFAULTS = attrs.asdict(Command(program=""))


def set_key(name: str, key: str, word: str) -> bool:
    """Set one key of the box `name`; False where it has that value already.

    `word` is a value as it stands in the file; quotes around a text may be left away. Raises UsageError for a key
    that there is not, SettingsError for a value that it does not take, HostError; the file is then as it was.
    """
    return _change(name, key, _value(word))


def unset_key(name: str, key: str) -> bool:
    """Take one key out of the file, so that its default counts; False where it is not there. Raises as `set_key`."""
    return _change(name, key, None)


def add_command(name: str, called: str, command: Command) -> bool:
    """Let the box run a host command, in place of one of that name; False where it may do just so already.

    Where host_exec is false, it becomes "confirm". Raises as `set_key`.
    """
    table = {key: value for key, value in attrs.asdict(command).items() if value != _DEFAULTS.get(key)}

    def change(document: TOMLDocument) -> str:
        if not document.get("host_exec", False):
            document["host_exec"] = "confirm"
        before = tomlkit.dumps(document)
        document.setdefault("commands", tomlkit.table(is_super_table=True))[called] = table
        content = tomlkit.dumps(document)
        wanted = tomllib.loads(before)
        wanted.setdefault("commands", {})[called] = table
        if tomllib.loads(content) == wanted:
            return content
        # Among keys with dots, tomlkit puts the table where it takes in the keys behind it.
        return f"{before.rstrip()}\n\n{tomlkit.dumps({'commands': {called: table}})}"

    return _rewrite(name, change)


def remove_command(name: str, called: str) -> bool:
    """Take a host command away; False where there is none of that name. Raises as `set_key`."""

    def change(document: TOMLDocument) -> str:
        document.get("commands", {}).pop(called, None)
        if not document.get("commands", True):
            del document["commands"]
        return tomlkit.dumps(document)

    return _rewrite(name, change)


def replace(name: str, content: bytes) -> bool:
    """Replace the file by one that was edited, if it is valid; False where it is the same. Raises as `set_key`."""
    path = _path(name)
    box_settings.parse(content, path)
    with _held():
        if box_settings.read(path) == content:
            return False
        files.write_atomically(path, content)
        return True


def _change(name: str, key: str, value: object) -> bool:
    if key not in KEYS:
        raise UsageError(f"{key!a} is no setting that can be set so.", f"The settings are: {', '.join(KEYS)}.")

    def change(document: TOMLDocument) -> str:
        known = document.unwrap().get(key)
        if known != value or type(known) is not type(value):
            if value is None:
                del document[key]
            else:
                document[key] = value
        return tomlkit.dumps(document)

    return _rewrite(name, change)


def _rewrite(name: str, change: Callable[[TOMLDocument], str]) -> bool:
    """Write what `change` makes of the file, if that is valid; False where it is the same."""
    path = _path(name)
    with _held():
        before = box_settings.read(path) or b""
        box_settings.parse(before, path)  # a file that is broken already is the user's to mend
        try:
            content = change(tomlkit.parse(before)).encode()
        except ParseError as error:
            raise SettingsError(f"{path} is not TOML: {error}.") from error
        except UnicodeEncodeError as error:  # a word of the command line that was not UTF-8
            raise SettingsError(f"{path} can hold no text that is not UTF-8.") from error
        except RecursionError as error:
            raise SettingsError(f"{path} is nested too deeply to be changed.") from error
        if content == before:
            return False
        box_settings.parse(content, path)
        files.write_atomically(path, content)
        return True


def _path(name: str) -> str:
    """The file itself, where the user has a link to it."""
    return os.path.realpath(paths.settings(name))


def _value(word: str) -> object:
    """What a word means as a TOML value; itself, where it is none."""
    try:
        return tomllib.loads(f"value = {word}")["value"]
    except (ValueError, RecursionError):  # of the parser, of a number with too many digits, of nested brackets
        return word


def _held() -> locks.hold:
    """No other command changes a settings file meanwhile."""
    return locks.hold(os.path.join(files.private_folder(paths.root()), ".settings.lock"), within=LOCK_TIMEOUT)
