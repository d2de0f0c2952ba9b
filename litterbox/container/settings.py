"""`definitions/NAME.toml`: the box's settings, made with a comment per key and read through cattrs."""

import tomllib
from typing import Literal, get_args

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn

from litterbox import paths
from litterbox.errors import SettingsError

Network = Literal["pasta", "slirp4netns", "none", "host"]

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
"""


@attrs.frozen(kw_only=True)
class Settings:
    """What the user chose for a box. `network` None: the default of the Podman that makes the container."""

    network: Network | None = None
    wayland: bool = False
    pipewire: bool = False


_ALLOWED = {
    "network": " or ".join(f'"{word}"' for word in get_args(Network)),
    "wayland": "true or false",
    "pipewire": "true or false",
}


def default_network(podman_version: tuple[int, ...]) -> Network:
    return "pasta" if podman_version >= (5,) else "slirp4netns"


def load(name: str) -> Settings:
    """Read the box's settings; a missing file means the defaults. Raises SettingsError: file, key, what is allowed."""
    path = paths.settings(name)
    try:
        with open(path, "rb") as file:
            content = tomllib.load(file)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error
    try:
        return _converter.structure(content, Settings)
    except cattrs.ClassValidationError as error:
        raise SettingsError(f"{path}: {_first_problem(error)}") from error


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


_converter = cattrs.Converter()
_converter.register_structure_hook_func(lambda kind: kind == Network | None, _network)
_converter.register_structure_hook(bool, _bool)
_converter.register_structure_hook(
    Settings, make_dict_structure_fn(Settings, _converter, _cattrs_forbid_extra_keys=True)
)
