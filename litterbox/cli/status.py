"""`litterbox status`: what the daemons are doing."""

import json
from concurrent.futures import ThreadPoolExecutor

import click

from litterbox import locks, paths, sessions
from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.errors import DaemonError

ANSWER_TIMEOUT = 2.0  # seconds for a daemon; the others' answers are shown whatever one does
_MAX_ASKED_AT_ONCE = 16


@click.command(short_help="Show what runs.", epilog=examples("litterbox status", "litterbox status work --json"))
@click.argument("name", required=False, shell_complete=complete_names.boxes)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, one object a box.")
def command(name: str | None, *, as_json: bool) -> None:
    """Show the container, the daemon and the sessions of the box NAME, or of every box."""
    from litterbox.container import define  # start-up budget

    names = [define.check_known(paths.check_box_name(name))] if name is not None else define.known()
    with ThreadPoolExecutor(_MAX_ASKED_AT_ONCE) as threads:
        answers = dict(zip(names, threads.map(_ask, names), strict=True))
    rows = _rows(answers)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']}: {'running' if row['running'] else 'stopped'}")
        if row["daemon"] is not None:
            answers_not = "" if row["answers"] else ", which does not answer"
            click.echo(f"  daemon    process {row['daemon']}{answers_not}")
            click.echo(f"  sessions  {_numbers(row['sessions'])}")
        if row["answers"]:
            click.echo(f"  keys      {'unlocked' if row['unlocked'] else 'locked'}")
            click.echo(f"  displays  {row['displays']}")
            if row["questions"]:
                click.echo(f"  questions {row['questions']}, which wait for your answer")
            for kind, seconds in _pauses(row):
                click.echo(f"  paused    no window about {kind} for {seconds} s, after what you declined")
    if not rows:
        click.echo("There is no box yet. Make one with: litterbox define NAME", err=True)


def _ask(name: str) -> dict[str, str] | None:
    """The daemon's answer; None where none runs, or it does not answer, which is said."""
    from litterbox.control import client  # start-up budget

    try:
        return client.ask(name, {"request": "status"}, within=ANSWER_TIMEOUT)
    except DaemonError as error:
        click.echo(f"litterbox: {error.sentence}", err=True)  # and the others are shown all the same
        return None


def _rows(answers: dict[str, dict[str, str] | None]) -> list[dict[str, object]]:
    from litterbox.container import podman, state  # start-up budget

    states = state.states() if None in answers.values() else {}
    rows: list[dict[str, object]] = []
    for name, answer in answers.items():
        if answer is None:
            daemon = locks.holder_pid(paths.daemon_lock(name))
            living = [pid for pid, _start in sessions.read(paths.session_lock(name))]
            # Where a logout emptied XDG_RUNTIME_DIR, Podman has forgotten the box that its sessions show.
            running = states.get(name) in podman.RUNNING or (daemon is not None and bool(living))
            seen = {"daemon": daemon, "answers": False, "running": running, "sessions": living}
            rows.append({"name": name, **seen, "unlocked": False, "displays": 0, "questions": 0, "pauses": {}})
        else:
            rows.append(
                {
                    "name": name,
                    "daemon": int(answer["daemon"]),
                    "answers": True,
                    "running": answer["running"] == "yes",
                    "sessions": [int(pid) for pid in answer["sessions"].split()],
                    "unlocked": answer["unlocked"] == "yes",
                    "displays": int(answer["displays"]),
                    "questions": int(answer.get("questions", "0")),  # a daemon of an earlier version has neither
                    "pauses": dict(_pause(word) for word in answer.get("pauses", "").split(";") if word),
                }
            )
    return rows


def _pause(word: str) -> tuple[str, int]:
    """Return the kind and the seconds of `KIND=SECONDS`."""
    kind, _, seconds = word.rpartition("=")
    return kind, int(seconds)


def _pauses(row: dict[str, object]) -> list[tuple[str, int]]:
    pauses = row["pauses"]
    return list(pauses.items()) if isinstance(pauses, dict) else []


def _numbers(pids: object) -> str:
    return ", ".join(map(str, pids)) if isinstance(pids, list) and pids else "none"
