"""`litterbox define`: a box from a template."""

import sys

import click

from litterbox import paths
from litterbox.cli import complete_names
from litterbox.cli.examples import examples
from litterbox.container import templates
from litterbox.errors import UsageError


@click.command(
    short_help="Make a box's definition from a template.", epilog=examples("litterbox define work --template ubuntu")
)
@click.argument("name")
@click.option(
    "--template",
    metavar="TEMPLATE",
    shell_complete=complete_names.templates,
    help=f"What to start from: {', '.join(templates.NAMES)}.",
)
@click.option("--image", metavar="IMAGE", help="With the template local: the image in local storage to build on.")
def command(name: str, template: str | None, image: str | None) -> None:
    """Make the definition of the box NAME: a Dockerfile from a template, and its settings.

    Both are yours to edit: definitions/NAME/Dockerfile and definitions/NAME.toml in ~/Litterbox. On a terminal, what
    is not given is asked for.
    """
    from litterbox.container.define import define, local_images  # start-up budget

    paths.check_box_name(name)
    if template is None:
        template = _choose("template", list(templates.NAMES))
    if template == "local" and image is None:
        image = _choose("image", local_images())
    if define(name, template=template, image=image):
        click.echo(f"Defined {name}: {paths.dockerfile(name)}", err=True)
        click.echo(f"Its settings: {paths.settings(name)}", err=True)
        click.echo(f"Next: litterbox build {name}", err=True)
    else:
        click.echo(f"{name} is defined just so already: {paths.dockerfile(name)}", err=True)


def _choose(what: str, choices: list[str]) -> str:
    """Let the user choose from a list on the terminal; without one, say which choices there are."""
    if not choices:
        raise UsageError(f"There is no {what} to choose from.")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"Which {what}? There is no terminal to ask on.", f"--{what} takes: {', '.join(choices)}.")
    for number, choice in enumerate(choices, start=1):
        click.echo(f"{number:3}  {choice}", err=True)
    by_answer = {str(number): choice for number, choice in enumerate(choices, start=1)}
    by_answer |= {choice: choice for choice in choices}
    answer: str = click.prompt(
        f"Which {what}, by number or name",
        type=click.Choice(list(by_answer)),
        show_choices=False,
        default="1" if len(choices) == 1 else None,
        err=True,
    )
    return by_answer[answer]
