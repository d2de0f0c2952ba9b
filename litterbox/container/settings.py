"""`definitions/NAME.toml`: the box's settings, made with a comment per key and read through cattrs."""

import logging
import tomllib
from typing import Literal, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, override

from litterbox import paths
from litterbox.errors import SettingsError

Network = Literal["pasta", "slirp4netns", "none", "host"]
Grant = Literal[False, "confirm", True]

_TIMEOUTS = range(5, 3601)  # less could not be read, and a forgotten window should not hold up the others for a day

_logger = logging.getLogger(__name__)

TEMPLATE = """\
# The settings of the box {name}. After a change: litterbox build {name}

# How the box reaches the network: "pasta" (user-mode networking, Podman 5 and newer), "slirp4netns" (the same for
# older Podman), "none", or "host" (the host's own network: the box then reaches every service on localhost).
network = "{network}"

# Mount the Wayland socket, so that graphical programs work. On many compositors a program that has it can also read
# the clipboard and the screen without asking.
wayland = false

# Mount the PipeWire socket, so that sound, microphone and camera work.
pipewire = false

# How long a dialog waits for you, in seconds, 5 to 3600. One that nobody answers in that time is declined. A change
# counts from the next dialog on, without a build.
dialog_timeout = 60

# Show notifications of the box on your desktop: true, "confirm" (a dialog asks each time), or false. They always say
# that they are the box's.
notify = true
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
    dialog_timeout: int = 60
    notify: Grant = True


_ALLOWED = {
    "network": " or ".join(f'"{word}"' for word in get_args(Network)),
    "wayland": "true or false",
    "pipewire": "true or false",
    "dialog_timeout": f"whole seconds from {_TIMEOUTS[0]} to {_TIMEOUTS[-1]}",
    "notify": 'true, false or "confirm"',
}


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
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error


def parse(content: bytes, path: str) -> Settings:
    """The settings that a file's content means. Raises SettingsError, which names the file as `path`."""
    try:
        table = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error
    try:
        return _converter.structure(table, Settings)
    except cattrs.ClassValidationError as error:
        raise SettingsError(f"{path}: {_first_problem(error)}") from error


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
        return f"{note.name} = {_shown(problem)} is not allowed; it takes {_ALLOWED[note.name]}."
    for problem in others:
        if isinstance(problem, cattrs.ForbiddenExtraKeysError):
            unknown = ", ".join(sorted(problem.extra_fields))
            return f"unknown key {unknown}; the keys are {', '.join(_ALLOWED)}."
    return str(others[0])


class _NotAllowed(ValueError):
    def __init__(self, value: object) -> None:
        super().__init__(value)
        self.value = value


def _shown(problem: Exception) -> str:
    return repr(problem.value) if isinstance(problem, _NotAllowed) else str(problem)


def _bool(value: object, _type: object) -> bool:
    if not isinstance(value, bool):
        raise _NotAllowed(value)
    return value


def _network(value: object, _type: object) -> Network:
    for word in get_args(Network):
        if value == word:
            known: Network = word
            return known
    raise _NotAllowed(value)


def _grant(value: object, _type: object) -> Grant:
    if isinstance(value, bool):
        return value
    if value == "confirm":
        return "confirm"
    raise _NotAllowed(value)


def _timeout(value: object, _type: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _TIMEOUTS:
        raise _NotAllowed(value)
    return value


_converter = cattrs.Converter()
_converter.register_structure_hook_func(lambda kind: kind == Network | None, _network)
_converter.register_structure_hook_func(lambda kind: kind == Grant, _grant)
_converter.register_structure_hook(bool, _bool)
_converter.register_structure_hook(
    Settings,
    make_dict_structure_fn(
        Settings, _converter, _cattrs_forbid_extra_keys=True, dialog_timeout=override(struct_hook=_timeout)
    ),
)
