"""`litterbox settings NAME host-exec`: the host commands that a box may run."""

import json
import os
import shlex
import sys

import click

from litterbox.cli.examples import examples
from litterbox.cli.suggesting_group import SuggestingGroup
from litterbox.control import client
from litterbox.errors import UsageError
from litterbox.settings import box_settings, host_commands, launchers, settings_file
from litterbox.settings.host_commands import FOLDER_WARNING, REST, Command


@click.group(
    "host-exec",
    cls=SuggestingGroup,
    short_help="Let the box run commands of the host, or no longer.",
    epilog=examples(
        "litterbox settings work host-exec add nvidia-smi /usr/bin/nvidia-smi --link",
        "litterbox settings work host-exec list",
    ),
)
def command() -> None:
    """The commands of the host that the box may run, outside of it, with your account.

    Each has a name, by which the box asks for it, and a program. In the box: host-exec NAME ARGUMENT…
    """


@command.command(
    "add",
    short_help="Let the box run a command.",
    epilog=examples(
        "litterbox settings work host-exec add nvidia-smi /usr/bin/nvidia-smi --link",
        "litterbox settings work host-exec add sum /usr/bin/sha256sum --arguments '/srv/pub/*'",
    ),
)
@click.argument("called", metavar="COMMAND")
@click.argument("program", type=click.Path())
@click.option(
    "--arguments",
    "forms",
    multiple=True,
    metavar="PATTERNS",
    help=f"A form of arguments that is allowed, quoted as one word: 'log --oneline {REST}'. May be repeated.",
)
@click.option(
    "--folder",
    type=click.Choice(["empty", "box"]),
    default="empty",
    help="Where it runs: in an empty folder, the default, or in the folder of the box's home that it is called from.",
)
@click.option("--link", is_flag=True, help="Let it be called in the box by its own name, without host-exec.")
@click.option("--yes", is_flag=True, help="Do not ask, whatever it means.")
@click.pass_obj
def add(name: str, *, called: str, program: str, forms: tuple[str, ...], folder: str, link: bool, yes: bool) -> None:
    """Let the box run PROGRAM, an absolute path, as COMMAND.

    Without --arguments it may be given any. In a pattern, * stands for any text without a slash, ? for one character
    that is not a slash, [ab] for one of these; ** stands for any text, and may stand once in a word. In a path they
    never stand for . or .., so /srv/pub/* and /srv/pub/** do not match /srv/pub/../secret. At the beginning of a word
    they do not match the dash of an option. A last word ... stands for any further arguments. An empty pattern allows
    no arguments.
    """
    patterns = tuple(tuple(_words(form)) for form in forms) or None
    chosen = Command(program=program, arguments=patterns, folder="box" if folder == "box" else "empty", link=link)
    check_program(program)
    before = box_settings.load(name)
    if before.commands.get(called) != chosen:
        if launchers.runs_what_it_is_told(program):
            _warn_of_launcher(program)
        if chosen.folder == "box":
            _confirm_folder(called, yes=yes)
    changed = settings_file.add_command(name, called, chosen)
    if changed:
        client.announce_settings(name)
    click.echo(f"{called} may be run from now on." if changed else f"{called} may be run so already.", err=True)
    after = box_settings.load(name)
    if after.host_exec != before.host_exec:
        click.echo(f"host_exec is {json.dumps(after.host_exec)} now: a window asks before each run.", err=True)


@command.command(
    "remove",
    short_help="Let the box no longer run a command.",
    epilog=examples("litterbox settings work host-exec remove nvidia-smi"),
)
@click.argument("called", metavar="COMMAND")
@click.pass_obj
def remove(name: str, *, called: str) -> None:
    """Take COMMAND away; what runs already goes on."""
    changed = settings_file.remove_command(name, called)
    if changed:
        client.announce_settings(name)
    click.echo(f"{called} may no longer be run." if changed else f"There is no command {called}.", err=True)


@command.command("list", short_help="Show the commands.", epilog=examples("litterbox settings work host-exec list"))
@click.option("--json", "as_json", is_flag=True, help="Print them as a JSON object.")
@click.pass_obj
def list_(name: str, *, as_json: bool) -> None:
    """Show the commands that the box may run, if its setting host_exec is not false."""
    import attrs  # with the rest of the long way

    known = box_settings.load(name).commands
    if as_json:
        click.echo(json.dumps({called: attrs.asdict(chosen) for called, chosen in known.items()}, indent=2))
        return
    for called, chosen in known.items():
        for form in chosen.arguments or ((REST,),):
            words = f"{called} {' '.join(word if word == REST else shlex.quote(word) for word in form)}".strip()
            click.echo(f"{words}  →  {chosen.program}{_remarks(chosen)}")


def _warn_of_launcher(program: str) -> None:
    click.echo(
        f"litterbox: {program} can run any other program, as its arguments or its input say: unless the patterns leave "
        "no room for that, the box can do whatever you can.",
        err=True,
    )


def _confirm_folder(called: str, *, yes: bool) -> None:
    """Raises UsageError and click.Abort."""
    if not yes and not sys.stdin.isatty():
        warn_of_folder([called])
        raise UsageError("This needs a yes, and there is no terminal to ask on.", "Use --yes, if it is what you want.")
    if not warn_of_folder([called], ask=not yes):
        raise click.Abort


def warn_of_folder(called: list[str], *, ask: bool = False) -> bool:
    """Say what it means that these commands run in the box's folder; whether it is wanted, where that is asked."""
    click.echo(f"litterbox: {', '.join(called)} will run in a folder that the box can fill. {FOLDER_WARNING}", err=True)
    click.echo("  A planted .git/config, for one, runs commands at `git status`.", err=True)
    return not ask or click.confirm("Do you want that?", err=True)


def check_program(program: str) -> None:
    """Raise UsageError where the program could not be run, or is one that a box can change."""
    if not os.path.isabs(program):
        raise UsageError(f"{program} is no absolute path.", "Name the program with its folder, like /usr/bin/git.")
    if not os.path.isfile(program) or not os.access(program, os.X_OK):
        raise UsageError(f"{program} is no program that can be run.")
    if host_commands.is_in_a_box(program):
        raise UsageError(f"{program} is in a box's home, and the box can change it.", "Put it elsewhere.")


def _words(form: str) -> list[str]:
    try:
        return shlex.split(form)
    except ValueError as error:
        raise UsageError(f"--arguments {form!r} cannot be split into words: {error}.") from error


def _remarks(chosen: Command) -> str:
    remarks = ["in the box's folder"] * (chosen.folder == "box") + ["linked"] * chosen.link
    return f"  ({', '.join(remarks)})" if remarks else ""
