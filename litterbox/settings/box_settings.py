"""`definitions/NAME.toml`: the box's settings, made with a comment per key and read through cattrs."""

import json
import logging
import reprlib
import tomllib
from typing import Any, Literal, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from litterbox import paths
from litterbox.errors import SettingsError
from litterbox.settings import host_commands, schemes
from litterbox.settings.host_commands import Command, NotAllowed

Network = Literal["pasta", "slirp4netns", "none", "host"]
Grant = Literal[False, "confirm", True]

MAX_SIZE = 256 * 1024  # bytes of a settings file; one with a comment per key has two thousand
_TIMEOUTS = range(5, 3601)  # less could not be read, and a forgotten window should not hold up the others for a day

_MAX_UNKNOWN = 5  # keys in a sentence
_SHORT = reprlib.Repr()  # of a value, whose length and depth are the file's
_SHORT.maxstring = _SHORT.maxother = 120

_logger = logging.getLogger(__name__)

TEMPLATE = """\
# The settings of the box {name}. After a change: litterbox build {name}

# How the box reaches the network: "pasta" (user-mode networking, Podman 5 and newer), "slirp4netns" (the same for
# older Podman), "none", or "host" (the host's own network: the box then reaches every service on localhost, and every
# abstract Unix socket).
network = "{network}"

# Mount the Wayland socket, so that graphical programs work. On many compositors a program that has it can also read
# the clipboard and the screen without asking.
wayland = false

# Mount the PipeWire socket, so that sound, microphone and camera work.
pipewire = false

# Let the box make user namespaces, which bwrap, the sandboxes of browsers, and containers in the box need. They open
# much more of the kernel to the box; SECURITY.md says what that costs.
nested = false

# How long a dialog waits for you, in seconds, 5 to 3600. One that nobody answers in that time is declined. A change
# counts from the next dialog on, without a build.
dialog_timeout = 60

# Show notifications of the box on your desktop: true, "confirm" (a dialog asks each time), or false. They always say
# that they are the box's.
notify = true

# Open links on your desktop, with the schemes listed below it.
xdg_open = "confirm"
xdg_open_schemes = ["http", "https", "mailto"]

# Read and set your clipboard.
clipboard = "confirm"

# Run commands on this computer, outside of the box: those of the tables [commands.NAME], and no others.
# `litterbox settings {name} host-exec add --help` tells what can be in one.
host_exec = false
"""


@attrs.frozen(kw_only=True)
class Settings:
    """What the user chose for a box.

    `network` None: the default of the Podman that makes the container. `dialog_timeout`: seconds. A capability is
    granted (True), asked about each time ("confirm"), or not granted (False).
    """

    network: Network | None = None
    wayland: bool = False
    pipewire: bool = False
    nested: bool = False
    dialog_timeout: int = 60
    notify: Grant = True
    xdg_open: Grant = "confirm"
    xdg_open_schemes: tuple[str, ...] = ("http", "https", "mailto")
    clipboard: Grant = "confirm"
    host_exec: Grant = False
    commands: dict[str, Command] = attrs.field(factory=dict)


_GRANTS = 'true, false or "confirm"'
_ALLOWED = {
    "network": " or ".join(f'"{word}"' for word in get_args(Network)),
    "wayland": "true or false",
    "pipewire": "true or false",
    "nested": "true or false",
    "dialog_timeout": f"whole seconds from {_TIMEOUTS[0]} to {_TIMEOUTS[-1]}",
    "notify": _GRANTS,
    "xdg_open": _GRANTS,
    "xdg_open_schemes": 'schemes of links that run nothing, like ["https", "mailto"]',
    "clipboard": _GRANTS,
    "host_exec": _GRANTS,
    "commands": host_commands.ALLOWED,
}


def describe_keys() -> list[tuple[str, str, str]]:
    """Return each key that `litterbox settings NAME set` takes, its allowed values and its default, in order."""
    defaults = attrs.asdict(Settings())
    return [
        (key, allowed, "that of Podman" if defaults[key] is None else json.dumps(defaults[key]))
        for key, allowed in _ALLOWED.items()
        if key != "commands"
    ]


def default_network(podman_version: tuple[int, ...]) -> Network:
    return "pasta" if podman_version >= (5,) else "slirp4netns"


def load(name: str) -> Settings:
    """Read the box's settings; a missing file means the defaults. Raises SettingsError: file, key, what is allowed."""
    path = paths.settings(name)
    content = read(path)
    return Settings() if content is None else parse(content, path)


def read(path: str) -> bytes | None:
    """The content of a settings file; None where there is none. Raises SettingsError."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    check_size(content, path)
    return content


def check_size(content: bytes, path: str) -> None:
    """Raise SettingsError where it is too much for a settings file."""
    if len(content) > MAX_SIZE:
        raise SettingsError(f"{path} is larger than {MAX_SIZE // 1024} KiB, which is too large for a settings file.")


def parse(content: bytes, path: str) -> Settings:
    """The settings that a file's content means. Raises SettingsError, which names the file as `path`."""
    check_size(content, path)
    try:
        return _converter.structure(_table(content, path), Settings)
    except cattrs.ClassValidationError as error:
        raise SettingsError(f"{path}: {_first_problem(error)}") from error


def _table(content: bytes, path: str) -> dict[str, object]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not TOML: it is not UTF-8, as byte {error.start} shows.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error
    except ValueError as error:
        raise SettingsError(f"{path} holds a number with too many digits.") from error
    except RecursionError as error:
        raise SettingsError(f"{path} is nested too deeply to be read.") from error


def dialog_timeout(name: str) -> int:
    """How many seconds a dialog of the box waits, as the settings say now; the default where they cannot be read."""
    try:
        return load(name).dialog_timeout
    except SettingsError as error:
        default = Settings().dialog_timeout
        _logger.warning("%s: dialogs wait for %d seconds: %s", name, default, error.sentence)
        return default


def _first_problem(error: cattrs.ClassValidationError) -> str:
    by_key, others = error.group_exceptions()
    for problem, note in by_key:
        if not isinstance(problem, NotAllowed):
            return f"{note.name}: {problem}"
        key = f"{note.name}.{problem.key}" if problem.key else note.name
        allowed = problem.allowed or _ALLOWED[note.name]
        return f"{key} = {_SHORT.repr(problem.value)} is not allowed; it takes {allowed}."
    for problem in others:
        if isinstance(problem, cattrs.ForbiddenExtraKeysError):
            unknown = ", ".join(_SHORT.repr(key).strip("'") for key in sorted(problem.extra_fields)[:_MAX_UNKNOWN])
            return f"unknown key {unknown}; the keys are {', '.join(_ALLOWED)}."
    return str(others[0])


def _bool(value: object, _type: object) -> bool:
    if not isinstance(value, bool):
        raise NotAllowed(value)
    return value


def _one_of(value: object, type_: Any) -> Any:
    for word in get_args(type_):
        if value == word and type(value) is type(word):
            return word
    raise NotAllowed(value)


def _network(value: object, _type: object) -> Network:
    network: Network = _one_of(value, Network)
    return network


def _timeout(value: object, _type: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _TIMEOUTS:
        raise NotAllowed(value)
    return value


def _schemes(value: object, _type: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise NotAllowed(value)
    for scheme in value:
        if not isinstance(scheme, str) or not schemes.may_be_opened(scheme):
            raise NotAllowed(scheme)
    return tuple(value)


_converter = cattrs.Converter()
_converter.register_structure_hook_func(lambda kind: kind == Network | None, _network)
_converter.register_structure_hook_func(lambda kind: kind == Grant, _one_of)
_converter.register_structure_hook(bool, _bool)
_converter.register_structure_hook(
    Settings,
    make_dict_structure_fn(
        Settings,
        _converter,
        _cattrs_forbid_extra_keys=True,
        dialog_timeout=override(struct_hook=_timeout),
        xdg_open_schemes=override(struct_hook=_schemes),
        commands=override(struct_hook=lambda value, _type: host_commands.structure(value)),
    ),
)
