"""`litterbox settings`: the settings of a box, shown, changed one by one, or edited."""

import contextlib
import itertools
import json
import os
import shlex
import subprocess
import tempfile

import attrs
import click

from litterbox import paths
from litterbox.cli import complete_names, settings_host_exec
from litterbox.cli.examples import examples
from litterbox.cli.suggesting_group import SuggestingGroup
from litterbox.container import define
from litterbox.control import client
from litterbox.errors import HostError, LitterboxError, SettingsError
from litterbox.settings import box_settings, settings_file

_ON_BUILD = frozenset({"network", "wayland", "pipewire", "nested"})
_EDITORS = ("VISUAL", "EDITOR")
_USUAL_EDITOR = "vi"


class _NameFirst(SuggestingGroup):
    """A group whose options may also stand behind NAME, where click takes everything for a subcommand's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        name, rest = args[:1], args[1:]
        options = list(itertools.takewhile(lambda word: word.startswith("-"), rest))
        return super().parse_args(ctx, [*options, *name, *rest[len(options) :]])

    def suggestion(self, ctx: click.Context, name: str) -> str:
        """Say so where the name of the box was omitted: its place is then taken by the name of a command."""
        if ctx.params.get("name") in self.commands:
            return " The name of the box comes first: litterbox settings NAME set KEY VALUE"
        return super().suggestion(ctx, name)


def _epilog() -> str:
    keys = ["\b", "Keys:"]
    for key, allowed, default in box_settings.describe_keys():
        keys += [f"  {key} (default: {default})", f"      {allowed}"]
    shown = examples(
        "litterbox settings work",
        "litterbox settings work set dialog_timeout 90",
        "litterbox settings work unset dialog_timeout",
    )
    return "\n".join([*keys, "", shown])


@click.group(
    cls=_NameFirst,
    invoke_without_command=True,
    subcommand_metavar="[set KEY VALUE | unset KEY | host-exec add|remove|list …]",
    short_help="Show or change the settings of a box.",
    epilog=_epilog(),
)
@click.argument("name", shell_complete=complete_names.boxes)
@click.option("--show", is_flag=True, help="Print the settings that count, defaults included. This is the default.")
@click.option("--json", "as_json", is_flag=True, help="Print them as a JSON object.")
@click.option("--edit", is_flag=True, help="Open the file in $VISUAL or $EDITOR; it is checked before it counts.")
@click.pass_context
def command(context: click.Context, name: str, *, show: bool, as_json: bool, edit: bool) -> None:
    """Show or change the settings of the box NAME, which are in definitions/NAME.toml.

    A change keeps your comments, and a value that is not allowed changes nothing. `set` and `unset` change one key.

    `host-exec` has the commands of the host that the box may run: litterbox settings work host-exec add --help
    """
    define.check_defined(name)
    context.obj = name
    if (show or as_json) + edit + (context.invoked_subcommand is not None) > 1:
        raise click.UsageError("Show the settings, edit them, or change one: not several at once.")
    if edit:
        _edit(name)
    elif context.invoked_subcommand is None:
        _show(name, as_json=as_json)


@command.command(
    "set", short_help="Change one setting.", epilog=examples("litterbox settings work set dialog_timeout 90")
)
@click.argument("key", shell_complete=complete_names.setting_keys)
@click.argument("value")
@click.pass_obj
def set_(name: str, key: str, value: str) -> None:
    """Set KEY to VALUE. Quotes around a text may be left away."""
    changed = settings_file.set_key(name, key, value)
    if changed:
        client.announce_settings(name)
    click.echo(
        f"{key} is {json.dumps(_values(name)[key])}{_when(key)}" if changed else f"{key} is so already.", err=True
    )


@command.command(
    "unset",
    short_help="Go back to the default of one setting.",
    epilog=examples("litterbox settings work unset dialog_timeout"),
)
@click.argument("key", shell_complete=complete_names.setting_keys)
@click.pass_obj
def unset(name: str, key: str) -> None:
    """Take KEY out of the file, so that its default counts."""
    changed = settings_file.unset_key(name, key)
    if changed:
        client.announce_settings(name)
    click.echo(f"{key} has its default{_when(key)}" if changed else f"{key} has its default already.", err=True)


command.add_command(settings_host_exec.command)


def _show(name: str, *, as_json: bool) -> None:
    values = _values(name)
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    commands = values.pop("commands")
    for key, value in values.items():
        click.echo(f"{key} = {json.dumps(value)}" if value is not None else f"# {key}: as Podman has it by default")
    if commands:
        click.echo(f"# commands of the host: litterbox settings {name} host-exec list")


def _values(name: str) -> dict[str, object]:
    return attrs.asdict(box_settings.load(name))


def _when(key: str) -> str:
    if key not in _ON_BUILD:
        return ", from now on."
    return ". It counts when the container is made anew: litterbox stop, then litterbox build."


def _edit(name: str) -> None:
    """Have the user edit a copy until it is valid; what they wrote is kept where they give up."""
    before = box_settings.read(paths.settings(name)) or b""
    descriptor, copy = tempfile.mkstemp(prefix=f"{name}-", suffix=".toml")
    kept = False
    try:
        try:
            with open(descriptor, "wb") as file:
                file.write(before)
        except OSError as error:
            raise HostError(
                f"{copy} cannot be written: {error.strerror}.", "It is the copy that you would edit."
            ) from error
        while True:
            _run_editor(copy)
            with open(copy, "rb") as file:
                content = file.read()
            if content == before:
                click.echo("Nothing was changed.", err=True)
                return
            try:
                if not _folders_are_wanted(name, content):
                    kept = True
                    raise LitterboxError("Nothing was changed.", f"What you wrote is in {copy}.")
                settings_file.replace(name, content)
            except SettingsError as error:
                kept = True
                click.echo(f"litterbox: {error.sentence}", err=True)
                if not click.confirm("Edit again?", default=True, err=True):
                    raise LitterboxError("Nothing was changed.", f"What you wrote is in {copy}.") from error
                kept = False
            except HostError as error:
                kept = True
                raise HostError(error.sentence, f"What you wrote is in {copy}.") from error
            else:
                client.announce_settings(name)
                click.echo(
                    "Saved. The next `litterbox enter` says whether the box must be built anew for it.", err=True
                )
                return
    finally:
        if not kept:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(copy)


def _folders_are_wanted(name: str, content: bytes) -> bool:
    """Ask about the host commands that would get the box's folder by this content. Raises SettingsError."""
    after = box_settings.parse(content, paths.settings(name)).commands
    try:
        before = box_settings.load(name).commands
    except SettingsError:  # what is edited to be mended
        before = {}
    new = [called for called, chosen in after.items() if chosen.folder == "box" and before.get(called) != chosen]
    return not new or settings_host_exec.warn_of_folder(new, ask=True)


def _run_editor(path: str) -> None:
    """Raises HostError where there is no editor, or it fails."""
    words = next((os.environ[variable] for variable in _EDITORS if os.environ.get(variable)), _USUAL_EDITOR)
    try:
        done = subprocess.run([*shlex.split(words), path], check=False)
    except (OSError, ValueError) as error:
        raise HostError(f"The editor {words} cannot be run: {error}.", "Set VISUAL or EDITOR.") from error
    if done.returncode != 0:
        raise HostError(f"The editor {words} ended with status {done.returncode}.", "Nothing was changed.")
