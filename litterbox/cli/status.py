"""`litterbox status`: what the daemons are doing."""

import json

import click

from litterbox import paths, sessions
from litterbox.errors import DaemonError


@click.command(short_help="Show what runs.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, one object a box.")
def command(name: str | None, *, as_json: bool) -> None:
    """Show the container, the daemon and the sessions of the box NAME, or of every box."""
    from litterbox.container import define  # start-up budget

    names = [define.check_defined(paths.check_box_name(name))] if name is not None else define.defined()
    rows = [_status(known) for known in names]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']}: {'running' if row['running'] else 'stopped'}")
        if row["daemon"] is not None:
            click.echo(f"  daemon    process {row['daemon']}")
            click.echo(f"  sessions  {_numbers(row['sessions'])}")
            click.echo(f"  keys      {'unlocked' if row['unlocked'] else 'locked'}")
            click.echo(f"  displays  {row['displays']}")
    if not rows:
        click.echo("There is no box yet. Make one with: litterbox define NAME", err=True)


def _status(name: str) -> dict[str, object]:
    from litterbox.container import podman  # start-up budget
    from litterbox.daemon import client

    try:
        answer = client.ask(name, {"request": "status"})
    except DaemonError as error:
        click.echo(f"litterbox: {error.sentence}", err=True)  # and the others are shown all the same
        answer = None
    if answer is None:
        living = [pid for pid, _start in sessions.read(paths.session_lock(name))]
        running = podman.containers().get(name) in podman.RUNNING
        return {
            "name": name,
            "daemon": None,
            "running": running,
            "sessions": living,
            "unlocked": False,
            "displays": 0,
        }
    return {
        "name": name,
        "daemon": int(answer["daemon"]),
        "running": answer["running"] == "yes",
        "sessions": [int(pid) for pid in answer["sessions"].split()],
        "unlocked": answer["unlocked"] == "yes",
        "displays": int(answer["displays"]),
    }


def _numbers(pids: object) -> str:
    return ", ".join(map(str, pids)) if isinstance(pids, list) and pids else "none"
