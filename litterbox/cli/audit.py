"""`litterbox audit`: what was asked of a box's daemon, and what was decided."""

import os
import re
from datetime import UTC, datetime, timedelta

import click

from litterbox import paths
from litterbox.audit_reader import Record, lines, parse
from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.confirm.escaping import escape_untrusted
from litterbox.errors import LitterboxError, UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_COLUMNS = (("TIME", 19), ("REQUEST", 12), ("DECISION", 18), ("BY", 16), ("PROCESS", 7), ("KEY", 18), ("WHAT FOR", 0))
_COLOURS = {"approved": "green", "declined": "red", "refused": "yellow"}
_MAX_WORD_WIDTH = 2000  # columns of a word: more than the log has of one, for a quoted text must keep its quotes


@click.command(
    short_help="Show what was asked for, and what was decided.",
    epilog=examples("litterbox audit work --since 2h", "litterbox audit work --follow"),
)
@click.argument("name", required=False, shell_complete=complete_names.boxes)
@click.option("--agent", "of_agent", is_flag=True, help="Show the log of `litterbox agent` instead of a box's.")
@click.option("-f", "--follow", is_flag=True, help="Go on showing what comes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they are in the log: a JSON object each.")
@click.option(
    "--since", metavar="TIME", help="Leave out what is older: 10m, 2h, 3d, 1w, or a date and time (ISO 8601)."
)
def command(name: str | None, *, of_agent: bool, follow: bool, as_json: bool, since: str | None) -> None:
    """Show the audit log of the box NAME: each request, the decision, and who took it.

    The process is that of the host which asked; keys that a box added itself, and users it logs in as, are named in the
    box's own words. A JSON object has time, box, what, detail (key, fingerprint, purpose, peer, reason, status …),
    decision and by.
    """
    if (name is None) is not of_agent:
        raise UsageError("Say which log: NAME, or --agent.")
    path = paths.agent_audit_log() if name is None else paths.audit_log(name)
    oldest = None if since is None else _moment(since)
    try:
        unread = _show(path, follow=follow, as_json=as_json, oldest=oldest)
    except FileNotFoundError:
        raise _nothing(name, path) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LitterboxError(f"{path} cannot be read: {error.strerror}.") from error
    if unread:
        click.echo(f"litterbox: left out of {path} what is no audit line: {unread}", err=True)


def _show(path: str, *, follow: bool, as_json: bool, oldest: datetime | None) -> int:
    """Print the log; returns how many lines could not be understood."""
    unread = 0
    headed = as_json
    for line in lines(path, follow=follow):
        record = parse(line)
        if record is None:
            unread += 1
            continue
        if oldest is not None and record.time < oldest:
            continue
        if not headed:
            click.echo(_row([title for title, _width in _COLUMNS]))
            headed = True
        if as_json:
            click.echo(line, nl=False)
        else:
            click.echo(_described(record), color=False if os.environ.get("NO_COLOR") else None)
    return unread


def _described(record: Record) -> str:
    detail = record.detail
    decision, _, scope = record.decision.partition(" for this ")
    reason = detail.get("reason", "")
    if "status" in detail:
        reason = f"status {detail['status']}"
    purpose = detail.get("purpose") or detail.get("fingerprint", "")
    words = [
        record.time.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        record.what,
        f"{decision} ({scope})" if scope else decision,
        record.by,
        str(detail.get("peer", "")),
        str(detail.get("key", "-")),
        ": ".join(str(part) for part in (purpose, reason) if part),
    ]
    return _row([escape_untrusted(word, longest=_MAX_WORD_WIDTH) for word in words], colour=_COLOURS.get(decision))


def _row(words: list[str], *, colour: str | None = None) -> str:
    padded = [word.ljust(width) for word, (_title, width) in zip(words, _COLUMNS, strict=True)]
    if colour:
        padded[2] = click.style(padded[2], fg=colour)
    return "  ".join(padded).rstrip()


def _moment(since: str) -> datetime:
    """The moment that --since means."""
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", since)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(since).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"{since!a} is not a time.", "Say how long ago (10m, 2h, 3d, 1w), or when (2026-01-31, 2026-01-31T18:30)."
        ) from None


def _nothing(name: str | None, path: str) -> LitterboxError:
    if name is None:
        return LitterboxError("`litterbox agent` has written no audit log yet.", f"It would be in {path}.")
    from litterbox.container import define  # start-up budget

    define.check_known(name)
    return LitterboxError(f"Nothing was asked of the daemon of {name} yet.", f"It would be written to {path}.")
