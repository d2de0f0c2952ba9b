"""What boxes there are, and how each is doing. `list` starts through this: no event loop, no cattrs."""

from litterbox import locks, paths, sessions
from litterbox.container import define, state

Row = dict[str, object]


def boxes() -> list[Row]:
    """One row a box, by name: {"name", "state", "sessions", "daemon", "definition"}.

    `state` is "not built", "stopped", or Podman's word for a container that is neither ("running", "paused").
    """
    built = state.states()
    defined = define.defined()
    return [_row(name, built, defined) for name in sorted({*built, *define.known()}) if paths.is_box_name(name)]


def _row(name: str, built: dict[str, str], defined: list[str]) -> Row:
    word = built.get(name)
    if word is None:
        word = "not built"
    elif word in ("exited", "created", "configured", "stopped"):
        word = "stopped"
    return {
        "name": name,
        "state": word,
        "sessions": len(sessions.read(paths.session_lock(name))),
        "daemon": locks.is_held(paths.daemon_lock(name)),
        "definition": paths.dockerfile(name) if name in defined else None,
    }
