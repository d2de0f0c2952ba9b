"""The names that a shell completes: boxes, keys, templates and settings. Each function returns those that may follow.

A shell calls these while the user types: they ask for nothing, and offer nothing where a file cannot be read.
"""

import contextlib

import click

from litterbox.errors import LitterboxError

# The imports inside the functions are for the start-up budget: only completion needs them.


def boxes(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of all boxes that begin with `incomplete`."""
    from litterbox.container import define

    with contextlib.suppress(LitterboxError, OSError):
        return _beginning(incomplete, define.known())
    return []


def keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of the keys in the store that begin with `incomplete`; no password is needed."""
    from litterbox import paths
    from litterbox.keys import store

    with contextlib.suppress(LitterboxError, OSError):
        return _beginning(incomplete, [key.name for key in store.load(paths.key_store()).keys])
    return []


def templates(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the templates that begin with `incomplete`."""
    from litterbox.container import templates as all_templates

    return _beginning(incomplete, all_templates.NAMES)


def setting_keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the keys of the settings that begin with `incomplete`."""
    from litterbox.settings import settings_file

    return _beginning(incomplete, settings_file.KEYS)


def _beginning(incomplete: str, names: list[str] | tuple[str, ...]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
